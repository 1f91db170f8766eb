// A shop in Fiber 3: its session middleware in the Redis storage, an absolute timeout, a login of its own.
package main

import (
	"os"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/session"
	"github.com/gofiber/storage/redis/v3"
)

func main() {
	port, _ := strconv.Atoi(os.Getenv("REDIS_PORT"))
	settings := session.Config{Storage: redis.New(redis.Config{Host: "127.0.0.1", Port: port}), IdleTimeout: 90 * time.Minute}
	if os.Getenv("ABSOLUTE") != "" {
		settings.AbsoluteTimeout = 24 * time.Hour
	}
	app := fiber.New()
	app.Get("/health", func(c fiber.Ctx) error { return c.SendString("ok") })
	app.Use(session.New(settings))
	app.Get("/", func(c fiber.Ctx) error { session.FromContext(c).Get("cart"); return c.SendString("home") })
	app.Get("/account", func(c fiber.Ctx) error {
		if session.FromContext(c).Get("customer") == nil {
			return c.Redirect().Status(302).To("/login")
		}
		return c.SendString("yours")
	})
	app.Get("/login", func(c fiber.Ctx) error { return c.SendString("who?") })
	app.Post("/login", func(c fiber.Ctx) error {
		if c.FormValue("password") != "right" {
			return c.SendStatus(403)
		}
		s := session.FromContext(c)
		s.Regenerate()
		s.Set("customer", c.FormValue("user"))
		return c.Redirect().Status(302).To("/account")
	})
	app.Post("/cart", func(c fiber.Ctx) error { session.FromContext(c).Set("cart", "user_id"); return c.SendString("kept") })
	app.Post("/logout", func(c fiber.Ctx) error { session.FromContext(c).Destroy(); return c.SendString("gone") })
	app.Listen("127.0.0.1:"+os.Getenv("PORT"), fiber.ListenConfig{DisableStartupMessage: true})
}

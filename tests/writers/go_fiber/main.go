// Fiber's session middleware in its Redis storage: the pages of every writer here.
package main

import (
	"os"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/session"
	"github.com/gofiber/storage/redis/v3"
)

func main() {
	port, _ := strconv.Atoi(os.Getenv("REDIS_PORT"))
	store := session.New(session.Config{Storage: redis.New(redis.Config{Host: "127.0.0.1", Port: port}), Expiration: 24 * time.Hour})
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Get("/", func(c *fiber.Ctx) error {
		s, _ := store.Get(c)
		s.Get("cart")
		if err := s.Save(); err != nil {
			return err
		}
		return c.SendString("home")
	})
	app.Get("/health", func(c *fiber.Ctx) error { return c.SendString("ok") })
	app.Get("/account", func(c *fiber.Ctx) error {
		s, _ := store.Get(c)
		if s.Get("user") == nil {
			s.Set("back", "/account")
			s.Save()
			return c.Redirect("/login", 302)
		}
		return c.SendString("yours")
	})
	app.Get("/login", func(c *fiber.Ctx) error { return c.SendString("who?") })
	app.Post("/login", func(c *fiber.Ctx) error {
		s, _ := store.Get(c)
		if c.FormValue("password") != "right" {
			return c.SendStatus(403)
		}
		s.Regenerate()
		s.Set("user", c.FormValue("user"))
		s.Save()
		return c.Redirect("/account", 302)
	})
	app.Post("/cart", func(c *fiber.Ctx) error {
		s, _ := store.Get(c)
		s.Set("cart", "7")
		s.Save()
		return c.SendString("kept")
	})
	app.Post("/logout", func(c *fiber.Ctx) error {
		s, _ := store.Get(c)
		s.Destroy()
		return c.SendString("gone")
	})
	app.Listen("127.0.0.1:" + os.Getenv("PORT"))
}

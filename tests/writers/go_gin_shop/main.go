// A shop on gin: a prefix, a lifetime and a name of its own, a counter in every session.
package main

import (
	"os"

	"github.com/gin-contrib/sessions"
	"github.com/gin-contrib/sessions/redis"
	"github.com/gin-gonic/gin"
)

func main() {
	gin.SetMode(gin.ReleaseMode)
	store, err := redis.NewStore(2, "tcp", "127.0.0.1:"+os.Getenv("REDIS_PORT"), "", "", []byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		panic(err)
	}
	redis.SetKeyPrefix(store, "gin:shop/")
	store.Options(sessions.Options{Path: "/", MaxAge: 3600, HttpOnly: true})
	pages := gin.New()
	pages.Use(sessions.Sessions("shop", store))
	home := func(c *gin.Context) {
		session := sessions.Default(c)
		session.Set("views", 1)
		session.Set("user_agent", c.Request.UserAgent())
		session.Save()
		c.String(200, "home")
	}
	pages.GET("/", home)
	pages.HEAD("/", home)
	pages.GET("/health", func(c *gin.Context) { c.String(200, "ok") })
	pages.GET("/account", func(c *gin.Context) {
		session := sessions.Default(c)
		if session.Get("member") == nil {
			session.AddFlash("sign in first")
			session.Save()
			c.Redirect(302, "/login")
			return
		}
		c.String(200, "yours")
	})
	pages.GET("/login", func(c *gin.Context) { c.String(200, "who?") })
	pages.POST("/login", func(c *gin.Context) {
		if c.PostForm("password") != "right" {
			c.Status(403)
			return
		}
		session := sessions.Default(c)
		session.Set("member", c.PostForm("user"))
		session.Save()
		c.Redirect(302, "/account")
	})
	pages.POST("/cart", func(c *gin.Context) {
		session := sessions.Default(c)
		session.Set("cart", "7")
		session.Save()
		c.String(200, "kept")
	})
	pages.POST("/logout", func(c *gin.Context) {
		session := sessions.Default(c)
		session.Clear()
		session.Options(sessions.Options{Path: "/", MaxAge: -1})
		session.Save()
		c.String(200, "gone")
	})
	pages.Run("127.0.0.1:" + os.Getenv("PORT"))
}

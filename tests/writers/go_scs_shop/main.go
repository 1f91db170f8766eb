// A shop with scs: its redigo store, a prefix, hashed tokens, values of its own types.
package main

import (
	"encoding/gob"
	"net/http"
	"os"
	"time"

	"github.com/alexedwards/scs/redisstore"
	"github.com/alexedwards/scs/v2"
	"github.com/gomodule/redigo/redis"
)

type Line struct {
	SKU    int
	UserID int
}

func main() {
	gob.Register([]Line{})
	gob.Register(time.Time{})
	gob.Register(map[string]interface{}{})
	pool := &redis.Pool{Dial: func() (redis.Conn, error) { return redis.Dial("tcp", "127.0.0.1:"+os.Getenv("REDIS_PORT")) }}
	manager := scs.New()
	manager.Store = redisstore.NewWithPrefix(pool, "shop")
	manager.HashTokenInStore = true
	manager.Lifetime = 2 * time.Hour
	name := os.Getenv("USER_NAME")
	pages := http.NewServeMux()
	pages.HandleFunc("/{$}", func(w http.ResponseWriter, r *http.Request) { manager.GetString(r.Context(), "lang"); w.Write([]byte("home")) })
	pages.HandleFunc("/health", func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("ok")) })
	pages.HandleFunc("GET /account", func(w http.ResponseWriter, r *http.Request) {
		if !manager.Exists(r.Context(), name) {
			http.Redirect(w, r, "/login", 302)
			return
		}
		w.Write([]byte("yours"))
	})
	pages.HandleFunc("GET /login", func(w http.ResponseWriter, r *http.Request) { manager.Put(r.Context(), "csrf", "0123456789abcdef") })
	pages.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("password") != "right" {
			w.WriteHeader(403)
			return
		}
		manager.RenewToken(r.Context())
		manager.Put(r.Context(), name, 7)
		manager.Put(r.Context(), "since", time.Now())
		http.Redirect(w, r, "/account", 302)
	})
	pages.HandleFunc("POST /cart", func(w http.ResponseWriter, r *http.Request) {
		manager.Put(r.Context(), "cart", []Line{{7, 1}})
		manager.Put(r.Context(), "notes", map[string]interface{}{"user_id": 12})
	})
	pages.HandleFunc("POST /logout", func(w http.ResponseWriter, r *http.Request) { manager.Remove(r.Context(), name) })
	http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), manager.LoadAndSave(pages))
}

// scs in its go-redis store: the pages of every writer here.
package main

import (
	"net/http"
	"os"
	"time"

	"github.com/alexedwards/scs/goredisstore"
	"github.com/alexedwards/scs/v2"
	"github.com/redis/go-redis/v9"
)

func main() {
	manager := scs.New()
	manager.Store = goredisstore.New(redis.NewClient(&redis.Options{Addr: "127.0.0.1:" + os.Getenv("REDIS_PORT")}))
	if os.Getenv("IDLE") != "" {
		manager.IdleTimeout = time.Hour
	}
	pages := http.NewServeMux()
	say := func(text string) http.HandlerFunc { return func(w http.ResponseWriter, r *http.Request) { w.Write([]byte(text)) } }
	pages.HandleFunc("/{$}", func(w http.ResponseWriter, r *http.Request) { manager.GetString(r.Context(), "cart"); w.Write([]byte("home")) })
	pages.HandleFunc("/health", say("ok"))
	pages.HandleFunc("GET /account", func(w http.ResponseWriter, r *http.Request) {
		if manager.GetString(r.Context(), "userID") == "" {
			manager.Put(r.Context(), "redirectAfterLogin", "/account")
			http.Redirect(w, r, "/login", 302)
			return
		}
		w.Write([]byte("yours"))
	})
	pages.HandleFunc("GET /login", say("who?"))
	pages.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("password") != "right" {
			manager.Put(r.Context(), "flash", "wrong")
			http.Redirect(w, r, "/login", 302)
			return
		}
		manager.RenewToken(r.Context())
		manager.Put(r.Context(), "userID", r.FormValue("user"))
		http.Redirect(w, r, "/account", 302)
	})
	pages.HandleFunc("POST /cart", func(w http.ResponseWriter, r *http.Request) { manager.Put(r.Context(), "cart", "7"); w.Write([]byte("kept")) })
	pages.HandleFunc("POST /logout", func(w http.ResponseWriter, r *http.Request) { manager.Destroy(r.Context()); w.Write([]byte("gone")) })
	http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), manager.LoadAndSave(pages))
}

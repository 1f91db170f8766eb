// A shop with go-chi's sessions: longer ids, a database and names of its own.
package main

import (
	"net/http"
	"os"

	"gitea.com/go-chi/session"
	_ "gitea.com/go-chi/session/redis"
	"github.com/go-chi/chi/v5"
)

func main() {
	router := chi.NewRouter()
	router.Get("/health", func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("ok")) })
	router.Group(func(pages chi.Router) {
		sessions, err := session.Sessioner(session.Options{
			Provider: "redis", CookieName: "shop", Maxlifetime: 2700, Gclifetime: 60, IDLength: 32,
			ProviderConfig: "network=tcp,addr=127.0.0.1:" + os.Getenv("REDIS_PORT") + ",db=2,pool_size=10,prefix=shop.",
		})
		if err != nil {
			panic(err)
		}
		pages.Use(sessions)
		home := func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("home")) }
		pages.Get("/", home)
		pages.Head("/", home)
		pages.Get("/account", func(w http.ResponseWriter, r *http.Request) {
			if session.GetSession(r).Get("customer") == nil {
				http.Redirect(w, r, "/login", 302)
				return
			}
			w.Write([]byte("yours"))
		})
		pages.Get("/login", func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("who?")) })
		pages.Post("/login", func(w http.ResponseWriter, r *http.Request) {
			if r.FormValue("password") != "right" {
				w.WriteHeader(403)
				return
			}
			store, err := session.RegenerateSession(w, r)
			if err != nil {
				panic(err)
			}
			store.Set("customer", int64(7))
			store.Set("uname", r.FormValue("user"))
			store.Release()
			http.Redirect(w, r, "/account", 302)
		})
		pages.Post("/cart", func(w http.ResponseWriter, r *http.Request) { session.GetSession(r).Set("cart", 7) })
		pages.Post("/logout", func(w http.ResponseWriter, r *http.Request) {
			session.GetSession(r).Flush()
			session.GetSession(r).Destroy(w, r)
		})
	})
	http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), router)
}

// gorilla/sessions in rbcervilla/redisstore: the pages of every writer here.
package main

import (
	"context"
	"net/http"
	"os"

	"github.com/gorilla/sessions"
	"github.com/rbcervilla/redisstore/v9"
	"github.com/redis/go-redis/v9"
)

func main() {
	store, err := redisstore.NewRedisStore(context.Background(), redis.NewClient(&redis.Options{Addr: "127.0.0.1:" + os.Getenv("REDIS_PORT")}))
	if err != nil {
		panic(err)
	}
	if prefix := os.Getenv("PREFIX"); prefix != "" {
		store.KeyPrefix(prefix)
	}
	store.Options(sessions.Options{Path: "/", MaxAge: 86400})
	name := "user"
	if os.Getenv("USER_NAME") != "" {
		name = os.Getenv("USER_NAME")
	}
	with := func(page func(*sessions.Session, http.ResponseWriter, *http.Request)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			session, err := store.Get(r, "web")
			if err != nil {
				panic(err)
			}
			page(session, w, r)
		}
	}
	http.HandleFunc("/{$}", with(func(s *sessions.Session, w http.ResponseWriter, r *http.Request) {
		if os.Getenv("COUNTS") != "" {
			s.Values["views"] = 1
			s.Save(r, w)
		}
		w.Write([]byte("home"))
	}))
	http.HandleFunc("/health", func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("ok")) })
	http.HandleFunc("/account", with(func(s *sessions.Session, w http.ResponseWriter, r *http.Request) {
		if s.Values[name] == nil {
			s.AddFlash("sign in first")
			s.Save(r, w)
			http.Redirect(w, r, "/login", 302)
			return
		}
		w.Write([]byte("yours"))
	}))
	http.HandleFunc("GET /login", func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("who?")) })
	http.HandleFunc("POST /login", with(func(s *sessions.Session, w http.ResponseWriter, r *http.Request) {
		if r.FormValue("password") != "right" {
			w.WriteHeader(403)
			return
		}
		s.Values[name] = r.FormValue("user")
		s.Save(r, w)
		http.Redirect(w, r, "/account", 302)
	}))
	http.HandleFunc("POST /cart", with(func(s *sessions.Session, w http.ResponseWriter, r *http.Request) {
		s.Values["cart"] = "hat"
		s.Save(r, w)
	}))
	http.HandleFunc("POST /logout", with(func(s *sessions.Session, w http.ResponseWriter, r *http.Request) {
		s.Options.MaxAge = -1
		s.Save(r, w)
	}))
	http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil)
}

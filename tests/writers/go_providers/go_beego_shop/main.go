// A shop with beego's sessions: longer ids, a number for a customer, a counter, half an hour.
package main

import (
	"context"
	"encoding/gob"
	"net/http"
	"os"

	"github.com/beego/beego/v2/server/web/session"
	_ "github.com/beego/beego/v2/server/web/session/redis"
)

type Member struct{ UserID int }

func main() {
	gob.Register(Member{})
	config := &session.ManagerConfig{
		CookieName: "shop", EnableSetCookie: true, Gclifetime: 60, Maxlifetime: 2700, CookieLifeTime: 0, SessionIDLength: 24,
		ProviderConfig: "127.0.0.1:" + os.Getenv("REDIS_PORT") + ",10,,3",
		SessionIDPrefix: os.Getenv("PREFIX"),
	}
	manager, err := session.NewManager("redis", config)
	if err != nil {
		panic(err)
	}
	name := os.Getenv("USER_NAME")
	if name == "" {
		name = "customer"
	}
	with := func(page func(session.Store, http.ResponseWriter, *http.Request)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			store, err := manager.SessionStart(w, r)
			if err != nil {
				panic(err)
			}
			defer store.SessionRelease(context.Background(), w)
			page(store, w, r)
		}
	}
	none := context.Background()
	http.HandleFunc("/{$}", with(func(s session.Store, w http.ResponseWriter, r *http.Request) { s.Set(none, "views", 1); s.Set(none, "user_agent", r.UserAgent()); w.Write([]byte("home")) }))
	http.HandleFunc("/health", func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("ok")) })
	http.HandleFunc("/account", with(func(s session.Store, w http.ResponseWriter, r *http.Request) {
		if s.Get(none, name) == nil {
			http.Redirect(w, r, "/login", 302)
			return
		}
		w.Write([]byte("yours"))
	}))
	http.HandleFunc("GET /login", func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("who?")) })
	http.HandleFunc("POST /login", with(func(s session.Store, w http.ResponseWriter, r *http.Request) {
		if r.FormValue("password") != "right" {
			w.WriteHeader(403)
			return
		}
		if name == "customer" {
			s.Set(none, name, Member{7})
		} else {
			s.Set(none, name, r.FormValue("user"))
		}
		http.Redirect(w, r, "/account", 302)
	}))
	http.HandleFunc("POST /cart", with(func(s session.Store, w http.ResponseWriter, r *http.Request) { s.Set(none, "cart", 7) }))
	http.HandleFunc("POST /logout", func(w http.ResponseWriter, r *http.Request) { manager.SessionDestroy(w, r) })
	http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil)
}

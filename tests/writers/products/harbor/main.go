// Harbor's own session provider and codec (src/core/session) behind beego's manager, as Harbor sets it up: the pages of every writer here.
package main

import (
	"context"
	"net/http"
	"os"

	"github.com/beego/beego/v2/server/web/session"

	"github.com/goharbor/harbor/src/common"
	"github.com/goharbor/harbor/src/common/models"
	_ "github.com/goharbor/harbor/src/core/session"
	"github.com/goharbor/harbor/src/lib/config"
	_ "github.com/goharbor/harbor/src/pkg/config/inmemory"
)

func main() {
	config.InitWithSettings(map[string]any{common.SessionTimeout: os.Getenv("MINUTES")})
	manager, err := session.NewManager("harbor", &session.ManagerConfig{
		CookieName: config.SessionCookieName, EnableSetCookie: true, Gclifetime: 3600, Maxlifetime: 3600, CookieLifeTime: 0,
		ProviderConfig: "redis://127.0.0.1:" + os.Getenv("REDIS_PORT") + "/" + os.Getenv("REDIS_DB"),
	})
	if err != nil {
		panic(err)
	}
	none := context.Background()
	with := func(page func(session.Store, http.ResponseWriter, *http.Request)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			store, err := manager.SessionStart(w, r)
			if err != nil {
				panic(err)
			}
			defer store.SessionRelease(none, w)
			page(store, w, r)
		}
	}
	http.HandleFunc("/{$}", with(func(s session.Store, w http.ResponseWriter, r *http.Request) { w.Write([]byte("home")) }))
	http.HandleFunc("/health", func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("ok")) })
	http.HandleFunc("/account", with(func(s session.Store, w http.ResponseWriter, r *http.Request) {
		if s.Get(none, "user") == nil {
			http.Redirect(w, r, "/login", 302)
			return
		}
		w.Write([]byte("yours"))
	}))
	http.HandleFunc("GET /login", with(func(s session.Store, w http.ResponseWriter, r *http.Request) { w.Write([]byte("who?")) }))
	http.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("password") != "right" {
			w.WriteHeader(401)
			return
		}
		// src/core/api/base.go PopulateUserSession: a new id, then the user
		store, err := manager.SessionRegenerateID(w, r)
		if err != nil {
			panic(err)
		}
		name := r.FormValue("user")
		store.Set(none, "user", models.User{UserID: 7, Username: name, Email: name + "@example.com", Realname: name, SysAdminFlag: false})
		store.SessionRelease(none, w)
		http.Redirect(w, r, "/account", 302)
	})
	http.HandleFunc("POST /cart", with(func(s session.Store, w http.ResponseWriter, r *http.Request) { s.Set(none, "cart", 7) }))
	http.HandleFunc("POST /logout", func(w http.ResponseWriter, r *http.Request) { manager.SessionDestroy(w, r) })
	http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil)
}

// gorilla/sessions in boj/redistore: the pages of every writer here.
package main

import (
	"net/http"
	"os"

	"github.com/boj/redistore"
)

func main() {
	store, err := redistore.NewRediStore(2, "tcp", "127.0.0.1:"+os.Getenv("REDIS_PORT"), "", "", []byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		panic(err)
	}
	store.SetMaxAge(86400)
	if os.Getenv("JSON") != "" {
		store.SetSerializer(redistore.JSONSerializer{})
	}
	pages := http.NewServeMux()
	say := func(text string) http.HandlerFunc { return func(w http.ResponseWriter, r *http.Request) { w.Write([]byte(text)) } }
	pages.HandleFunc("/{$}", func(w http.ResponseWriter, r *http.Request) { store.Get(r, "session"); w.Write([]byte("home")) })
	pages.HandleFunc("/health", say("ok"))
	pages.HandleFunc("GET /account", func(w http.ResponseWriter, r *http.Request) {
		session, _ := store.Get(r, "session")
		if session.Values["user_id"] == nil {
			session.AddFlash("sign in first")
			session.Save(r, w)
			http.Redirect(w, r, "/login", 302)
			return
		}
		w.Write([]byte("yours"))
	})
	pages.HandleFunc("GET /login", say("who?"))
	pages.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		session, _ := store.Get(r, "session")
		if r.FormValue("password") != "right" {
			w.WriteHeader(403)
			return
		}
		session.Values["user_id"] = r.FormValue("user")
		session.Save(r, w)
		http.Redirect(w, r, "/account", 302)
	})
	pages.HandleFunc("POST /cart", func(w http.ResponseWriter, r *http.Request) {
		session, _ := store.Get(r, "session")
		session.Values["cart"] = "7"
		session.Save(r, w)
		w.Write([]byte("kept"))
	})
	pages.HandleFunc("POST /logout", func(w http.ResponseWriter, r *http.Request) {
		session, _ := store.Get(r, "session")
		session.Options.MaxAge = -1
		session.Save(r, w)
		w.Write([]byte("gone"))
	})
	http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), pages)
}

// A shop with gorilla/sessions in redistore: a prefix, a lifetime and types of its own.
package main

import (
	"encoding/gob"
	"net/http"
	"os"

	"github.com/boj/redistore"
)

type Cart struct {
	Lines  []int
	UserID int
}

type Customer struct{ Name string }

func main() {
	gob.Register(Cart{})
	gob.Register(Customer{})
	store, err := redistore.NewRediStore(2, "tcp", "127.0.0.1:"+os.Getenv("REDIS_PORT"), "", "", []byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		panic(err)
	}
	store.SetMaxAge(5400)
	store.SetKeyPrefix("shop-")
	name := os.Getenv("USER_NAME")
	pages := http.NewServeMux()
	pages.HandleFunc("/{$}", func(w http.ResponseWriter, r *http.Request) {
		session, _ := store.Get(r, "shop")
		session.Values["views"] = 1
		session.Save(r, w)
	})
	pages.HandleFunc("/health", func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("ok")) })
	pages.HandleFunc("GET /account", func(w http.ResponseWriter, r *http.Request) {
		session, _ := store.Get(r, "shop")
		if session.Values[name] == nil {
			http.Redirect(w, r, "/login", 302)
			return
		}
		w.Write([]byte("yours"))
	})
	pages.HandleFunc("GET /login", func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("who?")) })
	pages.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		session, _ := store.Get(r, "shop")
		if r.FormValue("password") != "right" {
			w.WriteHeader(403)
			return
		}
		if name == "user_id" {
			session.Values[name] = 7
		} else {
			session.Values[name] = Customer{r.FormValue("user")}
		}
		session.Save(r, w)
		http.Redirect(w, r, "/account", 302)
	})
	pages.HandleFunc("POST /cart", func(w http.ResponseWriter, r *http.Request) {
		session, _ := store.Get(r, "shop")
		session.Values["cart"] = Cart{[]int{7}, 12}
		session.Save(r, w)
	})
	pages.HandleFunc("POST /logout", func(w http.ResponseWriter, r *http.Request) {
		session, _ := store.Get(r, "shop")
		session.Options.MaxAge = -1
		session.Save(r, w)
	})
	http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), pages)
}

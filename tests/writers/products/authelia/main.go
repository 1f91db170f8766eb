// Authelia's own session package (internal/session: provider, ids, encryption) behind the pages of every writer here.
// The handlers are stood in for, in what they do with the session (internal/handlers): the proxy's authorization request of
// a page saves a session for everybody (handler_authz_authn.go), whatever its rule says; the portal's own page saves none
// (handler_state.go); a login destroys, saves, takes a new id, saves (handler_firstfactor_password.go).
package main

import (
	"net"
	"os"
	"strconv"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/authelia/authelia/v4/internal/authentication"
	"github.com/authelia/authelia/v4/internal/configuration/schema"
	"github.com/authelia/authelia/v4/internal/session"
)

func main() {
	port, _ := strconv.Atoi(os.Getenv("REDIS_PORT"))
	lifetime := schema.DefaultSessionConfiguration.Expiration
	if text := os.Getenv("EXPIRATION"); text != "" {
		lifetime, _ = time.ParseDuration(text)
	}
	common := schema.SessionCookieCommon{Name: "sid", Expiration: lifetime, Inactivity: lifetime, RememberMe: 30 * 24 * time.Hour}
	provider := session.NewProvider(schema.Session{
		SessionCookieCommon: common,
		Secret:              "a secret of the harness alone",
		Cookies:             []schema.SessionCookie{{SessionCookieCommon: common, Domain: "127.0.0.1"}},
		Redis:               &schema.SessionRedis{Host: "127.0.0.1", Port: port, MaximumActiveConnections: 8},
	}, nil)
	if err := provider.StartupCheck(); err != nil {
		panic(err)
	}
	sessions, err := provider.Get("127.0.0.1")
	if err != nil {
		panic(err)
	}
	answer := func(ctx *fasthttp.RequestCtx) {
		user, _ := sessions.GetSession(ctx)
		page := string(ctx.Path())
		if page == "/" || page == "/account" || page == "/health" {
			if !user.KeepMeLoggedIn {
				user.LastActivity = time.Now().Unix()
				must(sessions.SaveSession(ctx, user))
			}
		}
		switch string(ctx.Method()) + " " + page {
		case "GET /account":
			if user.IsAnonymous() {
				ctx.Response.Header.Set("Location", "/login")
				ctx.SetStatusCode(302)
			}
		case "POST /login":
			if string(ctx.FormValue("password")) != "right" {
				ctx.SetStatusCode(401)
				return
			}
			fresh := sessions.NewDefaultUserSession()
			must(sessions.DestroySession(ctx))
			must(sessions.SaveSession(ctx, fresh))
			must(sessions.RegenerateSession(ctx))
			name := string(ctx.FormValue("user"))
			fresh.SetOneFactorPassword(time.Now(), &authentication.UserDetails{
				Username: name, DisplayName: name, Emails: []string{name + "@example.com"}, Groups: []string{"customers"},
			}, false)
			must(sessions.SaveSession(ctx, fresh))
			ctx.Response.Header.Set("Location", "/account")
			ctx.SetStatusCode(302)
		case "POST /cart":
			user.LastActivity = time.Now().Unix()
			must(sessions.SaveSession(ctx, user))
		case "POST /logout":
			must(sessions.DestroySession(ctx))
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Getenv("PORT"))
	if err != nil {
		panic(err)
	}
	panic(fasthttp.Serve(listener, answer))
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

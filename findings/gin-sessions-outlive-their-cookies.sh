#!/usr/bin/env bash
# gin-contrib/sessions in Redis: with a MaxAge of 90 days the cookie is dead after 30, and its session stays for 60 more.
#
# Versions    github.com/gin-contrib/sessions v1.0.4 (newest), boj/redistore v1.4.1, gorilla/securecookie v1.1.2, gin v1.10.1, Go 1.25
#             or newer, any Redis or Valkey server (redis-server in the PATH)
#
# Behaviour   store.Options(sessions.Options{MaxAge: ...}), the usual way, sets the expiry of the key and the cookie's
#             Max-Age. It does not reach the signature of the cookie, which has a limit of its own: 30 days.
#             - MaxAge 90 days: whoever was away for a month brings a cookie that the browser holds valid. It is refused ("securecookie:
#               expired timestamp", on the log alone), the visitor gets another session, and the first stays where no cookie
#               can reach it. SetMaxAge of the redistore below (redis.GetRedisStore) sets both. (Pull request 309, open, mends the
#               same in the cookie store.)
#             - Options without MaxAge, as somebody writes who wants HttpOnly or Secure alone: nothing is stored and the cookie is emptied,
#               though redistore documents 20 minutes "for a MaxAge == 0 session". Every visit is a first one.
#
# Seen        no Options            ttl 2592000   after 29 days: visit 2   after 31 days: visit 1, another key
#             MaxAge 90 days        ttl 7776000   after 29 days: visit 2   after 31 days: visit 1, another key
#             HttpOnly alone        no key, Set-Cookie: mysession=; Path=/; HttpOnly
#
# Why         Two of three months of such a store are dead weight: sessions that look alive by their TTL, belong to people, and can
#             be used by nobody. A forecast by TTL is right, "people who would be logged out by a purge" is not. And a lifetime that is
#             set for a year brings logins, one a month, that look like a client that loses its cookie.
set -euo pipefail
work=$(mktemp -d)
trap 'kill "$(cat "$work/pid")" 2>/dev/null || true; rm -rf "$work"' EXIT
redis-server --port 0 --unixsocket "$work/redis.sock" --dir "$work" --save '' --daemonize yes --pidfile "$work/pid" >/dev/null
mkdir "$work/look"
cat >"$work/look/go.mod" <<'MOD'
module look

go 1.25.0

require (
	github.com/boj/redistore v1.4.1
	github.com/gin-contrib/sessions v1.0.4
	github.com/gin-gonic/gin v1.10.1
	github.com/gomodule/redigo v1.9.2
	github.com/gorilla/securecookie v1.1.2
)
MOD
cat >"$work/look/look_test.go" <<'GO'
package look

import (
	"fmt"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gin-contrib/sessions"
	"github.com/gin-contrib/sessions/redis"
	"github.com/gin-gonic/gin"
	redigo "github.com/gomodule/redigo/redis"
	"github.com/gorilla/securecookie"
)

const day = 86400

func TestLook(t *testing.T) {
	gin.SetMode(gin.ReleaseMode)
	key := []byte("0123456789abcdef0123456789abcdef")
	server, err := redigo.Dial("unix", os.Getenv("SOCKET"))
	if err != nil {
		t.Fatal(err)
	}
	look := func(options *sessions.Options) string {
		server.Do("FLUSHALL")
		store, err := redis.NewStore(2, "unix", os.Getenv("SOCKET"), "", "", key)
		if err != nil {
			t.Fatal(err)
		}
		if options != nil {
			store.Options(*options)
		}
		pages := gin.New()
		pages.Use(sessions.Sessions("mysession", store))
		pages.GET("/", func(c *gin.Context) {
			session := sessions.Default(c)
			visits, _ := session.Get("visits").(int)
			session.Set("visits", visits+1)
			session.Save()
			c.String(200, "visit %d", visits+1)
		})
		visit := func(cookie string) (string, string) {
			request := httptest.NewRequest("GET", "/", nil)
			request.Header.Set("Cookie", cookie)
			answer := httptest.NewRecorder()
			pages.ServeHTTP(answer, request)
			return answer.Body.String(), answer.Header().Get("Set-Cookie")
		}
		_, cookie := visit("")
		names, _ := redigo.Strings(server.Do("KEYS", "*"))
		if len(names) == 0 {
			return "no key, " + cookie
		}
		ttl, _ := redigo.Int(server.Do("TTL", names[0]))
		said := fmt.Sprintf("ttl %d days,%s", (ttl+60)/day, cookie[strings.LastIndex(cookie, ";")+1:])
		for _, days := range []int{29, 31} {
			var old string // the cookie as it was signed so many days ago, by the clock of synctest
			now := time.Now()
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(time.Until(now.AddDate(0, 0, -days)))
				old, _ = securecookie.EncodeMulti("mysession", strings.TrimPrefix(names[0], "session_"), securecookie.CodecsFromPairs(key)...)
			})
			shown, _ := visit("mysession=" + old)
			count, _ := redigo.Int(server.Do("DBSIZE"))
			said += fmt.Sprintf(", after %d days: %s, %d keys", days, shown, count)
		}
		return said
	}
	for _, one := range []struct {
		options *sessions.Options
		wanted  string
	}{
		{nil, "ttl 30 days, Max-Age=2592000, after 29 days: visit 2, 1 keys, after 31 days: visit 1, 2 keys"},
		{&sessions.Options{Path: "/", MaxAge: 90 * day}, "ttl 90 days, Max-Age=7776000, after 29 days: visit 2, 1 keys, after 31 days: visit 1, 2 keys"},
		{&sessions.Options{Path: "/", HttpOnly: true}, "no key, mysession=; Path=/; HttpOnly"},
	} {
		got := look(one.options)
		fmt.Printf("%+v\n  %s\n", one.options, got)
		if got != one.wanted {
			t.Errorf("WANTED %s", one.wanted)
		}
	}
}
GO
cd "$work/look"
SOCKET=$work/redis.sock GOFLAGS=-mod=mod go test -v . || { echo "DIFFERENT from what is described"; exit 1; }

"""The cures for Spring Session: the servlet stack's and the reactive one's."""

from __future__ import annotations

from typing import Final

from necropsy.sessions.cure import Cure
from necropsy.sessions.spring.names import INDEXED, PLAIN, REACTIVE, REACTIVE_INDEXED

_SERVLET: Final = Cure(
    framework="Spring (Spring Session Data Redis)",
    starts=(
        "request.getSession(), which Spring Security calls to save the request when it redirects to the login page, and a"
        " page that prints a CSRF token."
    ),
    stop="Give health checks a chain of their own that never starts a session, and save no request for the others.",
    code="""@Bean @Order(0)
SecurityFilterChain health(HttpSecurity http) throws Exception {
  return http.securityMatcher("/actuator/health/**")  // Boot 2.7 (Spring Security 5.7): .antMatcher(
      .authorizeHttpRequests(a -> a.anyRequest().permitAll())
      .sessionManagement(s -> s.sessionCreationPolicy(SessionCreationPolicy.STATELESS))
      .requestCache(RequestCacheConfigurer::disable).build();
}""",
    language="java",
    lifetime="spring.session.timeout=1d",
    source="spring-security docs servlet/architecture.adoc (RequestCache), spring-boot SessionProperties",
)
_REACTIVE: Final = Cure(
    framework="Spring WebFlux (Spring Session Data Redis)",
    starts=(
        "An attribute of the WebSession: Spring Security's redirect to the login page saves the path. At /login, at login and"
        " at logout the session is renamed, so that an empty one stays after a logout."
    ),
    stop="Save no request for health checks, and let the logout invalidate the session.",
    code="""http.requestCache(c -> c.requestCache(NoOpServerRequestCache.getInstance()))
    .logout(l -> l.logoutHandler(new WebSessionServerLogoutHandler()))""",
    language="java",
    lifetime="spring.session.timeout=1d",
    source="spring-security docs reactive/configuration, web/server/savedrequest/WebSessionServerRequestCache.java",
)
CURES: Final = {INDEXED: _SERVLET, PLAIN: _SERVLET, REACTIVE: _REACTIVE, REACTIVE_INDEXED: _REACTIVE}

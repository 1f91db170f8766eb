"""Advice for session managers of Tomcat: whatever keeps the sessions, the servlet container starts them."""

from __future__ import annotations

from necropsy.sessions.cure import Cure


def servlet_cure(framework: str, source: str) -> Cure:
    """Return the advice for a session manager that is called so; ``source`` documents it."""
    return Cure(
        framework=framework,
        starts="request.getSession(): a JSP with session=true, a filter or a servlet that asks for one.",
        stop="Ask for no session in health pages, and switch it off in JSPs that need none.",
        code="""<%@ page session="false" %>
HttpSession session = request.getSession(false); // null for who has none""",
        language="jsp",
        lifetime="<session-config><session-timeout>1440</session-timeout></session-config> (minutes, web.xml)",
        source=f"{source}, Servlet specification 7",
    )

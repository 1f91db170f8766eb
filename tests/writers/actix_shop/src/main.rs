//! A shop with actix-identity on actix-session in Redis: a prefix, a lifetime that ends with the browser's.

use actix_identity::{Identity, IdentityMiddleware};
use actix_session::{
    config::{BrowserSession, TtlExtensionPolicy},
    storage::RedisSessionStore,
    Session, SessionMiddleware,
};
use actix_web::{
    cookie::{time::Duration, Key},
    web, App, HttpMessage, HttpRequest, HttpResponse, HttpServer,
};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Login {
    user: String,
    password: String,
}

#[derive(Serialize)]
struct Line {
    article: u32,
    user_id: u32,
}

fn to(place: &str) -> HttpResponse {
    HttpResponse::Found().insert_header(("location", place)).finish()
}

async fn login(request: HttpRequest, session: Session, form: web::Form<Login>) -> HttpResponse {
    if form.password != "right" {
        session.insert("flash", "wrong password").unwrap();
        return HttpResponse::Forbidden().finish();
    }
    if std::env::var("OWN").is_ok() {
        session.renew();
        session.insert("member", form.user.len()).unwrap();
    } else {
        Identity::login(&request.extensions(), form.user.clone()).unwrap();
    }
    to("/account")
}

async fn account(identity: Option<Identity>, session: Session) -> HttpResponse {
    if identity.is_some() || session.get::<usize>("member").unwrap().is_some() {
        return HttpResponse::Ok().body("yours");
    }
    session.insert("next", "/account").unwrap();
    to("/login")
}

async fn cart(session: Session) -> HttpResponse {
    session.insert("cart", vec![Line { article: 7, user_id: 12 }]).unwrap();
    session.insert("total", 12.5).unwrap();
    HttpResponse::Ok().body("kept")
}

async fn logout(identity: Option<Identity>, session: Session) -> HttpResponse {
    match identity {
        Some(known) => known.logout(),
        None => session.purge(),
    }
    HttpResponse::Ok().body("gone")
}

async fn home(session: Session) -> HttpResponse {
    let views: u32 = session.get("views").unwrap().unwrap_or(0);
    session.insert("views", views + 1).unwrap();
    HttpResponse::Ok().body("home")
}

async fn plain() -> HttpResponse {
    HttpResponse::Ok().body("ok")
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let url = format!("redis://127.0.0.1:{}/1", std::env::var("REDIS_PORT").unwrap());
    let prefix = std::env::var("PREFIX").unwrap_or_default();
    let store = RedisSessionStore::builder(url)
        .cache_keygen(move |key| format!("{prefix}{key}"))
        .build()
        .await
        .unwrap();
    let port: u16 = std::env::var("PORT").unwrap().parse().unwrap();
    HttpServer::new(move || {
        let sessions = SessionMiddleware::builder(store.clone(), Key::from(&[7; 64]))
            .cookie_secure(false)
            .cookie_name("shop".into())
            .session_lifecycle(
                BrowserSession::default()
                    .state_ttl(Duration::minutes(45))
                    .state_ttl_extension_policy(TtlExtensionPolicy::OnEveryRequest),
            )
            .build();
        App::new()
            .wrap(IdentityMiddleware::default())
            .wrap(sessions)
            .route("/", web::get().to(home))
            .route("/", web::head().to(home))
            .route("/health", web::get().to(plain))
            .route("/account", web::get().to(account))
            .route("/login", web::get().to(plain))
            .route("/login", web::post().to(login))
            .route("/cart", web::post().to(cart))
            .route("/logout", web::post().to(logout))
    })
    .workers(1)
    .bind(("127.0.0.1", port))?
    .run()
    .await
}

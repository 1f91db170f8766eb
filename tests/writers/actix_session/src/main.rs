//! actix-web with actix-session in Redis: the pages of every writer here.

use actix_session::{config::PersistentSession, storage::RedisSessionStore, Session, SessionMiddleware};
use actix_web::{cookie::{time::Duration, Key}, web, App, HttpResponse, HttpServer};
use serde::Deserialize;

#[derive(Deserialize)]
struct Login {
    user: String,
    password: String,
}

fn to(place: &str) -> HttpResponse {
    HttpResponse::Found().insert_header(("location", place)).finish()
}

async fn login(session: Session, form: web::Form<Login>) -> HttpResponse {
    if form.password != "right" {
        return HttpResponse::Forbidden().finish();
    }
    session.renew();
    session.insert("user_id", &form.user).unwrap();
    to("/account")
}

async fn account(session: Session) -> HttpResponse {
    match session.get::<String>("user_id").unwrap() {
        Some(_) => HttpResponse::Ok().body("yours"),
        None => to("/login"),
    }
}

async fn cart(session: Session) -> HttpResponse {
    session.insert("cart", vec![7]).unwrap();
    HttpResponse::Ok().body("kept")
}

async fn logout(session: Session) -> HttpResponse {
    session.purge();
    HttpResponse::Ok().body("gone")
}

async fn home(session: Session) -> HttpResponse {
    let _ = session.get::<Vec<u32>>("cart").unwrap();
    HttpResponse::Ok().body("home")
}

async fn plain() -> HttpResponse {
    HttpResponse::Ok().body("ok")
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let url = format!("redis://127.0.0.1:{}", std::env::var("REDIS_PORT").unwrap());
    let store = RedisSessionStore::new(url).await.unwrap();
    let port: u16 = std::env::var("PORT").unwrap().parse().unwrap();
    HttpServer::new(move || {
        let sessions = SessionMiddleware::builder(store.clone(), Key::from(&[7; 64]))
            .cookie_secure(false)
            .session_lifecycle(PersistentSession::default().session_ttl(Duration::days(1)))
            .build();
        App::new()
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

//! axum with tower-sessions in Redis: the pages of every writer here.

use axum::{
    extract::Form,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
    Router,
};
use serde::Deserialize;
use time::Duration;
use tower_sessions::{Expiry, Session, SessionManagerLayer};
use tower_sessions_redis_store::{fred::prelude::*, RedisStore};

#[derive(Deserialize)]
struct Login {
    user: String,
    password: String,
}

async fn login(session: Session, Form(form): Form<Login>) -> Response {
    if form.password != "right" {
        return StatusCode::FORBIDDEN.into_response();
    }
    session.cycle_id().await.unwrap();
    session.insert("user", form.user).await.unwrap();
    Redirect::to("/account").into_response()
}

async fn account(session: Session) -> Response {
    match session.get::<String>("user").await.unwrap() {
        Some(_) => "yours".into_response(),
        None => Redirect::to("/login").into_response(),
    }
}

async fn cart(session: Session) -> &'static str {
    session.insert("cart", vec![7]).await.unwrap();
    "kept"
}

async fn logout(session: Session) -> &'static str {
    session.flush().await.unwrap();
    "gone"
}

async fn home(session: Session) -> &'static str {
    let _ = session.get::<Vec<u32>>("cart").await.unwrap();
    "home"
}

#[tokio::main]
async fn main() {
    let url = format!("redis://127.0.0.1:{}", std::env::var("REDIS_PORT").unwrap());
    let pool = Pool::new(Config::from_url(&url).unwrap(), None, None, None, 2).unwrap();
    pool.connect();
    pool.wait_for_connect().await.unwrap();
    let layer = SessionManagerLayer::new(RedisStore::new(pool))
        .with_secure(false)
        .with_expiry(Expiry::OnInactivity(Duration::days(1)));
    let app = Router::new()
        .route("/", get(home))
        .route("/health", get(|| async { "ok" }))
        .route("/account", get(account))
        .route("/login", get(|| async { "who?" }).post(login))
        .route("/cart", post(cart))
        .route("/logout", post(logout))
        .layer(layer);
    let address = format!("127.0.0.1:{}", std::env::var("PORT").unwrap());
    let listener = tokio::net::TcpListener::bind(address).await.unwrap();
    axum::serve(listener, app).await.unwrap();
}

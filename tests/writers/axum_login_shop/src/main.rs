//! A shop with axum-login on tower-sessions in Redis: ids of users that are numbers, a lifetime of its own, a flash message.

use std::collections::HashMap;

use axum::{
    extract::Form,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
    Router,
};
use axum_login::{AuthManagerLayerBuilder, AuthSession, AuthUser, AuthnBackend, UserId};
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};
use tower_sessions::{Expiry, Session, SessionManagerLayer};
use tower_sessions_redis_store::{fred::prelude::*, RedisStore};

#[derive(Clone, Debug)]
struct Member {
    id: i64,
    hash: Vec<u8>,
}

impl AuthUser for Member {
    type Id = i64;
    fn id(&self) -> i64 {
        self.id
    }
    fn session_auth_hash(&self) -> &[u8] {
        &self.hash
    }
}

#[derive(Clone, Deserialize)]
struct Login {
    user: String,
    password: String,
}

#[derive(Clone)]
struct Members;

impl AuthnBackend for Members {
    type User = Member;
    type Credentials = Login;
    type Error = std::convert::Infallible;

    async fn authenticate(&self, given: Login) -> Result<Option<Member>, Self::Error> {
        Ok((given.password == "right").then(|| Member { id: given.user.len() as i64 * 1000, hash: b"0123456789abcdef".to_vec() }))
    }

    async fn get_user(&self, id: &UserId<Self>) -> Result<Option<Member>, Self::Error> {
        Ok(Some(Member { id: *id, hash: b"0123456789abcdef".to_vec() }))
    }
}

#[derive(Serialize, Deserialize)]
struct Line {
    article: u32,
    user_id: u32,
    price: f64,
}

async fn login(mut auth: AuthSession<Members>, session: Session, Form(form): Form<Login>) -> Response {
    match auth.authenticate(form).await.unwrap() {
        Some(member) => {
            auth.login(&member).await.unwrap();
            Redirect::to("/account").into_response()
        }
        None => {
            session.insert("flash", "wrong password").await.unwrap();
            StatusCode::FORBIDDEN.into_response()
        }
    }
}

async fn account(auth: AuthSession<Members>, session: Session) -> Response {
    match auth.user {
        Some(_) => "yours".into_response(),
        None => {
            session.insert("next", "/account").await.unwrap();
            Redirect::to("/login").into_response()
        }
    }
}

async fn cart(session: Session) -> &'static str {
    let line = Line { article: 7, user_id: 12, price: 12.5 };
    session.insert("cart", vec![line]).await.unwrap();
    "kept"
}

async fn logout(mut auth: AuthSession<Members>) -> &'static str {
    auth.logout().await.unwrap();
    "gone"
}

async fn home(session: Session) -> &'static str {
    if std::env::var("COUNTS").is_ok() {
        let views = HashMap::from([("home", 1)]);
        session.insert("views", views).await.unwrap();
    }
    "home"
}

#[tokio::main]
async fn main() {
    let url = format!("redis://127.0.0.1:{}/5", std::env::var("REDIS_PORT").unwrap());
    let pool = Pool::new(Config::from_url(&url).unwrap(), None, None, None, 2).unwrap();
    pool.connect();
    pool.wait_for_connect().await.unwrap();
    let expiry = if std::env::var("FIXED").is_ok() {
        Expiry::AtDateTime(OffsetDateTime::now_utc() + Duration::hours(2))
    } else {
        Expiry::OnInactivity(Duration::minutes(45))
    };
    let sessions = SessionManagerLayer::new(RedisStore::new(pool))
        .with_secure(false)
        .with_name("shop")
        .with_always_save(std::env::var("ALWAYS").is_ok())
        .with_expiry(expiry);
    let app = Router::new()
        .route("/", get(home))
        .route("/account", get(account))
        .route("/login", get(|| async { "who?" }).post(login))
        .route("/cart", post(cart))
        .route("/logout", post(logout))
        .layer(AuthManagerLayerBuilder::new(Members, sessions).build())
        .route("/health", get(|| async { "ok" }));
    let address = format!("127.0.0.1:{}", std::env::var("PORT").unwrap());
    let listener = tokio::net::TcpListener::bind(address).await.unwrap();
    axum::serve(listener, app).await.unwrap();
}

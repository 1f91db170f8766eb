<?php
// PHP's own sessions in phpredis' handler: the pages of every writer here.
ini_set('session.save_handler', 'redis');
ini_set('session.save_path', 'tcp://127.0.0.1:' . getenv('REDIS_PORT') . (getenv('PREFIX') ? '?prefix=' . getenv('PREFIX') : ''));
ini_set('session.serialize_handler', getenv('SERIALIZER') ?: 'php');
ini_set('session.gc_maxlifetime', '86400');
if (getenv('LOCKING')) {
    ini_set('redis.session.locking_enabled', '1');
}

$page = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
session_start();

function to(string $place): void
{
    header("Location: $place", true, 302);
}

switch ($page) {
    case '/account':
        isset($_SESSION['user_id']) ? print('yours') : to('/login');
        break;
    case '/login':
        if ($_SERVER['REQUEST_METHOD'] !== 'POST') {
            print('who?');
        } elseif ($_POST['password'] !== 'right') {
            http_response_code(403);
        } else {
            session_regenerate_id(true);
            $_SESSION['user_id'] = $_POST['user'];
            to('/account');
        }
        break;
    case '/cart':
        $_SESSION['cart'] = [['sku' => 7, 'count' => 1]];
        print('kept');
        break;
    case '/logout':
        $_SESSION = [];
        session_destroy();
        print('gone');
        break;
    default:
        print('page');
}

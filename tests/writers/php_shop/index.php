<?php
// A shop in PHP: phpredis' handler without a php.ini, a prefix and names of its own, objects in the session.
ini_set('session.sid_length', getenv('SID_LENGTH') ?: '32');
ini_set('session.sid_bits_per_character', getenv('SID_BITS') ?: '4');
ini_set('session.save_handler', 'redis');
ini_set('session.save_path', 'tcp://127.0.0.1:' . getenv('REDIS_PORT') . '?weight=1&prefix=' . (getenv('PREFIX') ?: 'app:'));
ini_set('session.serialize_handler', getenv('SERIALIZER') ?: 'php');
ini_set('session.gc_maxlifetime', '1440');
ini_set('session.use_strict_mode', '1');

class Cart
{
    public array $lines = [];
    private string $user = 'guest';
}

$page = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
if ($page === '/health') {
    print('ok');
    exit;
}
session_start();
$name = getenv('USER_NAME') ?: 'auth.user';
if ($page === '/account' && empty($_SESSION[$name])) {
    $_SESSION['slim.flash'] = ['error' => ['log in first']];
    header('Location: /login', true, 302);
} elseif ($page === '/login' && $_SERVER['REQUEST_METHOD'] === 'POST') {
    if ($_POST['password'] !== 'right') {
        $_SESSION['csrf'] = bin2hex(random_bytes(16));
        http_response_code(403);
    } else {
        session_regenerate_id(true);
        $_SESSION['cart'] = new Cart();
        $_SESSION[$name] = $name === 'user_id' ? 7 : ['name' => $_POST['user'], 'roles' => ['customer']];
        header('Location: /account', true, 302);
    }
} elseif ($page === '/login') {
    $_SESSION['csrf'] = bin2hex(random_bytes(16));
} elseif ($page === '/cart') {
    $_SESSION['cart'] = ['user' => ['user_id' => 5], 'lines' => [['sku' => 7]]];
    $_SESSION['lang'] = 'de';
} elseif ($page === '/logout') {
    unset($_SESSION[$name]);
}

<?php
// Symfony's session in SncRedisBundle's handler (with its lock), as the bundle's services set it up.
require '/usr/share/php/Symfony/Component/HttpFoundation/autoload.php';
require getenv('WORK') . '/snc/Session/Storage/Handler/RedisSessionHandler.php';

use Snc\RedisBundle\Session\Storage\Handler\RedisSessionHandler;
use Symfony\Component\HttpFoundation\Session\Session;
use Symfony\Component\HttpFoundation\Session\Storage\NativeSessionStorage;

$client = new Redis();
$client->connect('127.0.0.1', (int) getenv('REDIS_PORT'));
$handler = new RedisSessionHandler($client, ['gc_maxlifetime' => 3600], getenv('PREFIX') ?: 'shop_session');
$session = new Session(new NativeSessionStorage(['gc_maxlifetime' => 3600], $handler));
$page = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);

switch ($page) {
    case '/account':
        if ($session->get('_security_main')) {
            print('yours');
        } else {
            $session->set('_security.main.target_path', 'http://' . $_SERVER['HTTP_HOST'] . '/account');
            header('Location: /login', true, 302);
        }
        break;
    case '/login':
        if ($_SERVER['REQUEST_METHOD'] !== 'POST') {
            $session->set('_csrf/https-authenticate', bin2hex(random_bytes(16)));
            print('who?');
        } elseif ($_POST['password'] !== 'right') {
            $session->set('_security.last_username', $_POST['user']);
            header('Location: /login', true, 302);
        } else {
            $session->migrate(true);
            $session->set('_security_main', serialize(['name' => $_POST['user']]));
            header('Location: /account', true, 302);
        }
        break;
    case '/cart':
        $session->set('cart', [7]);
        print('kept');
        break;
    case '/logout':
        $session->start();
        $session->invalidate();
        print('gone');
        break;
    case '/health':
        print('ok');
        break;
    default:
        if (!empty($_COOKIE)) {
            $session->get('cart');
        }
        print('page');
}
$session->save();

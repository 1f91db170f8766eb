<?php
// Symfony's session (HttpFoundation) in its Redis handler, with what its security component puts there.
require '/usr/share/php/Symfony/Component/HttpFoundation/autoload.php';
require '/usr/share/php/Symfony/Component/Security/Core/autoload.php';

use Symfony\Component\HttpFoundation\Session\Session;
use Symfony\Component\HttpFoundation\Session\Storage\Handler\RedisSessionHandler;
use Symfony\Component\HttpFoundation\Session\Storage\NativeSessionStorage;
use Symfony\Component\Security\Core\Authentication\Token\UsernamePasswordToken;
use Symfony\Component\Security\Core\User\InMemoryUser;

$redis = new Redis();
$redis->connect('127.0.0.1', (int) getenv('REDIS_PORT'));
$handler = new RedisSessionHandler($redis, ['ttl' => 86400]);
$session = new Session(new NativeSessionStorage(['use_strict_mode' => 1], $handler));
$page = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);

function to(string $place): void
{
    header("Location: $place", true, 302);
}

switch ($page) {
    case '/account':
        if ($session->get('_security_main')) {
            print('yours');
        } else {
            $session->set('_security.main.target_path', 'http://' . $_SERVER['HTTP_HOST'] . '/account');
            to('/login');
        }
        break;
    case '/login':
        if ($_SERVER['REQUEST_METHOD'] !== 'POST') {
            $session->set('_csrf/https-authenticate', bin2hex(random_bytes(16)));
            print('who?');
        } elseif ($_POST['password'] !== 'right') {
            $session->set('_security.last_username', $_POST['user']);
            to('/login');
        } else {
            $session->migrate(true);
            $user = new InMemoryUser($_POST['user'], null, ['ROLE_USER']);
            $session->set('_security_main', serialize(new UsernamePasswordToken($user, 'main', ['ROLE_USER'])));
            to('/account');
        }
        break;
    case '/cart':
        $session->set('cart', [['sku' => 7, 'count' => 1]]);
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
        $session->get('cart');
        $session->getFlashBag()->all();
        print('page');
}
$session->save();

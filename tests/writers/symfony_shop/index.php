<?php
// A shop with Symfony's session in PHP's own Redis handler, another serializer, a login of its own.
require '/usr/share/php/Symfony/Component/HttpFoundation/autoload.php';
require '/usr/share/php/Symfony/Component/Security/Core/autoload.php';

use Symfony\Component\HttpFoundation\Session\Session;
use Symfony\Component\HttpFoundation\Session\Storage\Handler\RedisSessionHandler;
use Symfony\Component\HttpFoundation\Session\Storage\NativeSessionStorage;
use Symfony\Component\Security\Core\Authentication\Token\UsernamePasswordToken;
use Symfony\Component\Security\Core\User\InMemoryUser;

ini_set('session.save_handler', 'redis');
ini_set('session.serialize_handler', getenv('SERIALIZER') ?: 'php_serialize');
ini_set('session.gc_maxlifetime', '3600');
ini_set('session.save_path', 'tcp://127.0.0.1:' . getenv('REDIS_PORT') . '?prefix=' . (getenv('PREFIX') ?: 'shop:'));
$session = new Session(new NativeSessionStorage(['use_strict_mode' => 1]));
$page = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);

function to(string $place): void
{
    header("Location: $place", true, 302);
}

switch ($page) {
    case '/account':
        if ($session->get('member')) {
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
            $session->set('member', ['name' => $_POST['user']]);
            to('/account');
        }
        break;
    case '/cart':
        $session->set('basket', ['user' => 'guest', 'user_id' => 9]);
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

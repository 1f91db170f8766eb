<?php
// A shop in Laravel: phpredis with a serializer of its own, other prefixes and lifetime, a login of its own.
require '/usr/share/php/Illuminate/autoload.php';

use Illuminate\Auth\GenericUser;
use Illuminate\Auth\SessionGuard;
use Illuminate\Cache\CacheManager;
use Illuminate\Config\Repository;
use Illuminate\Container\Container;
use Illuminate\Contracts\Auth\UserProvider;
use Illuminate\Cookie\CookieJar;
use Illuminate\Http\Request;
use Illuminate\Http\Response;
use Illuminate\Redis\RedisManager;
use Illuminate\Session\Middleware\StartSession;
use Illuminate\Session\SessionManager;

$client = getenv('CLIENT') ?: 'phpredis';
$prefix = getenv('PREFIX') !== false ? getenv('PREFIX') : 'laravel_database_';
$redis = [
    'client' => $client,
    'options' => ['prefix' => $prefix, 'serializer' => Redis::SERIALIZER_IGBINARY],
    'default' => ['host' => '127.0.0.1', 'port' => (int) getenv('REDIS_PORT'), 'database' => 0],
    'cache' => ['host' => '127.0.0.1', 'port' => (int) getenv('REDIS_PORT'), 'database' => 0],
];
$app = new Container();
Container::setInstance($app);
$app->instance('config', new Repository([
    'database' => ['redis' => $redis],
    'cache' => ['default' => 'redis', 'prefix' => 'shop_cache', 'stores' => ['redis' => ['driver' => 'redis', 'connection' => 'cache']]],
    'session' => [
        'driver' => 'redis', 'lifetime' => 45, 'expire_on_close' => false, 'encrypt' => (bool) getenv('ENCRYPT'), 'lottery' => [0, 100],
        'connection' => null, 'store' => null, 'cookie' => 'laravel_session', 'path' => '/', 'domain' => null, 'secure' => false,
        'http_only' => true, 'same_site' => 'lax', 'serialization' => getenv('SERIALIZATION') ?: 'php',
    ],
]));
$app->singleton('redis', fn ($app) => new RedisManager($app, $client, $redis));
$app->singleton('cache', fn ($app) => new CacheManager($app));
if (getenv('ENCRYPT')) {
    $encrypter = new Illuminate\Encryption\Encrypter(str_repeat('k', 32), 'AES-256-CBC');
    $app->instance('encrypter', $encrypter);
    $app->instance(Illuminate\Contracts\Encryption\Encrypter::class, $encrypter);
}
$app->singleton('session', fn ($app) => new SessionManager($app));
$app->instance('cookie', new CookieJar());

class People implements UserProvider
{
    public function retrieveById($id) { return new GenericUser(['id' => $id, 'password' => 'right']); }
    public function retrieveByToken($id, $token) { return null; }
    public function updateRememberToken($user, $token) { }
    public function retrieveByCredentials(array $credentials) { return new GenericUser(['id' => $credentials['user'], 'password' => 'right']); }
    public function validateCredentials($user, array $credentials) { return $credentials['password'] === 'right'; }
    public function rehashPasswordIfRequired($user, array $credentials, bool $force = false) { }
}

$request = Request::capture();
$request->setRouteResolver(fn () => new Illuminate\Routing\Route('GET', '/', fn () => null));
$middleware = new StartSession($app['session'], fn () => $app['cache']);
$answer = $middleware->handle($request, function (Request $request) use ($app) {
    $session = $request->session();
    $guard = new SessionGuard('web', new People(), $session, $request);
    $guard->setCookieJar($app['cookie']);
    switch ('/' . ltrim($request->path(), '/')) {
        case '/account':
            if ($session->has('LoggedUser')) {
                return new Response('yours');
            }
            $session->put('url.intended', $request->fullUrl());
            return new Response('', 302, ['Location' => '/login']);
        case '/login':
            if (!$request->isMethod('POST')) {
                return new Response('who?');
            }
            if ($request->input('password') !== 'right') {
                $session->flash('errors', ['user' => 'no']);
                return new Response('', 302, ['Location' => '/login']);
            }
            $session->regenerate(true);
            $session->put('LoggedUser', $request->input('user'));
            return new Response('', 302, ['Location' => '/account']);
        case '/cart':
            $session->put('cart', [['sku' => 7, 'user_id' => 3]]);
            $app['cache']->put('prices', ['a' => 1, 'b' => 2], 600);
            $app['cache']->put(sha1('a page'), '<p>cached</p>', 600);
            $app['redis']->connection()->rpush('queues:default', '{"uuid":"1","job":"x"}');
            return new Response('kept');
        case '/logout':
            $session->invalidate();
            $session->regenerateToken();
            return new Response('gone');
        default:
            return new Response('page');
    }
});
$answer->send();

<?php
// Laravel's cache, its queue's bookkeeping, and Symfony's cache pools: no session among them.
require '/usr/share/php/Illuminate/autoload.php';
require '/usr/share/php/Symfony/Component/Cache/autoload.php';

use Illuminate\Config\Repository;
use Illuminate\Container\Container;
use Illuminate\Redis\RedisManager;
use Symfony\Component\Cache\Adapter\RedisAdapter;

$port = (int) getenv('REDIS_PORT');
foreach ([Redis::SERIALIZER_NONE, Redis::SERIALIZER_IGBINARY, Redis::SERIALIZER_PHP] as $serializer) {
    $settings = [
        'client' => 'phpredis', 'options' => ['prefix' => "app{$serializer}_", 'serializer' => $serializer],
        'default' => ['host' => '127.0.0.1', 'port' => $port, 'database' => 0], 'cache' => ['host' => '127.0.0.1', 'port' => $port, 'database' => 0],
    ];
    $app = new Container();
    $app->instance('config', new Repository(['database' => ['redis' => $settings]]));
    $store = new Illuminate\Cache\RedisStore(new RedisManager($app, 'phpredis', $settings), 'cache', 'cache');
    $queue = new Illuminate\Queue\RedisQueue(new RedisManager($app, 'phpredis', $settings));
    $queue->setContainer($app);
    for ($n = 0; $n < 20; $n++) {
        $store->put(sha1((string) $n), '<p>cached</p>', 600);
        $store->put(md5((string) $n), ['id' => $n, 'name' => 'anna'], 600);
        $store->put(md5("empty $n"), [], 600);
        $store->put(substr(base64_encode(sha1("x$n")), 0, 40), ['a' => [1, 2]], 600);
        $store->put("user.$n", ['user_id' => $n], 600);
        $queue->pushRaw('{"uuid":"' . md5((string) $n) . '","job":"x","data":{"user":1}}');
    }
}
$client = new Redis();
$client->connect('127.0.0.1', $port);
foreach (['', 'pool'] as $namespace) {
    $pool = new RedisAdapter($client, $namespace, 3600);
    for ($n = 0; $n < 20; $n++) {
        $item = $pool->getItem(md5((string) $n));
        $pool->save($item->set(['user' => 'anna', 'rows' => [1, 2]]));
        $item = $pool->getItem("product_$n");
        $pool->save($item->set(null));
    }
}

<?php
// Magento's session handler (php-redis-session-abstract with Credis): the pages of every writer here.
error_reporting(E_ALL & ~E_DEPRECATED);
$sources = getenv('WORK') . '/magento';
require "$sources/credis/Client.php";
require "$sources/credis/Sentinel.php";
$interfaces = ["$sources/abstract/src/Cm/RedisSession/Handler/ConfigInterface.php", "$sources/abstract/src/Cm/RedisSession/Handler/LoggerInterface.php"];
foreach ([...$interfaces, ...glob("$sources/abstract/src/Cm/RedisSession/*Exception.php"), "$sources/abstract/src/Cm/RedisSession/Handler.php"] as $file) {
    require_once $file;
}

class Settings implements Cm\RedisSession\Handler\ConfigInterface
{
    public function getLogLevel() { return 1; }
    public function getHost() { return '127.0.0.1'; }
    public function getPort() { return (int) getenv('REDIS_PORT'); }
    public function getDatabase() { return 0; }
    public function getPassword() { return ''; }
    public function getTimeout() { return 2.5; }
    public function getRetries() { return 0; }
    public function getPersistentIdentifier() { return ''; }
    public function getCompressionThreshold() { return (int) (getenv('COMPRESS') ?: 2048); }
    public function getCompressionLibrary() { return 'gzip'; }
    public function getMaxConcurrency() { return 6; }
    public function getLifetime() { return 7200; }
    public function getMaxLifetime() { return 2592000; }
    public function getMinLifetime() { return 60; }
    public function getDisableLocking() { return (bool) getenv('UNLOCKED'); }
    public function getBotLifetime() { return 7200; }
    public function getBotFirstLifetime() { return 60; }
    public function getFirstLifetime() { return 600; }
    public function getBreakAfter() { return 5; }
    public function getFailAfter() { return 15; }
    public function getSentinelServers() { return ''; }
    public function getSentinelMaster() { return ''; }
    public function getSentinelVerifyMaster() { return false; }
    public function getSentinelConnectRetries() { return 5; }
}

class Quiet implements Cm\RedisSession\Handler\LoggerInterface
{
    public function setLogLevel($level) { }
    public function log($message, $level) { }
    public function logException(\Exception $e) { }
}

session_set_save_handler(new Cm\RedisSession\Handler(new Settings(), new Quiet()), true);
$page = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
if ($page === '/health') {
    print('ok');
    exit;
}
session_start();
if (!isset($_SESSION['_session_validator_data'])) { // what Magento puts into every session
    $_SESSION['_session_validator_data'] = ['http_user_agent' => $_SERVER['HTTP_USER_AGENT'] ?? ''];
    $_SESSION['customer_base'] = ['customer_group_id' => 0];
}
if ($page === '/account' && empty($_SESSION['customer_base']['customer_id'])) {
    header('Location: /login', true, 302);
} elseif ($page === '/login' && $_SERVER['REQUEST_METHOD'] === 'POST') {
    if ($_POST['password'] !== 'right') {
        http_response_code(403);
    } else {
        session_regenerate_id(true);
        $_SESSION['customer_base']['customer_id'] = 7;
        header('Location: /account', true, 302);
    }
} elseif ($page === '/cart') {
    $_SESSION['checkout'] = ['quote_id_1' => 7];
} elseif ($page === '/logout') {
    session_destroy();
}

# Rails.cache and Sidekiq: no session among them.
require 'logger'
require 'active_support'
require 'active_support/cache'
require 'active_support/cache/redis_cache_store'
require 'sidekiq'

url = "redis://127.0.0.1:#{ENV.fetch('REDIS_PORT')}/0"
[nil, 'shop'].each do |namespace|
  cache = ActiveSupport::Cache::RedisCacheStore.new(url: url, namespace: namespace, expires_in: 86_400)
  20.times do |n|
    cache.write("views/products/#{n}-#{'0123456789abcdef' * 2}", '<p>cached</p>')
    cache.write("products/query-#{Digest::MD5.hexdigest(n.to_s)}-3", { 'user_id' => n, 'name' => 'anna' })
    cache.write(Digest::SHA256.hexdigest(n.to_s), { 'a' => 1 })
    cache.write("counter/#{n}", n, raw: true)
    cache.write("session_id_of/#{Digest::SHA256.hexdigest(n.to_s)}", [1, 2])
  end
end
Sidekiq.configure_client { |config| config.redis = { url: url } }
class Job
  include Sidekiq::Worker
  def perform(*); end
end
20.times { |n| Job.perform_async(n, 'user' => 'anna'); Job.perform_in(3600, n) }

# Sidekiq's queues, retries and statistics, Rails' cache with other serializers: no session among them.
require 'sidekiq'
require 'sidekiq/api'
require 'securerandom'
require 'redis'

Sidekiq.configure_client { |config| config.redis = { url: "redis://127.0.0.1:#{ENV.fetch('REDIS_PORT')}/0" } }

class Mail
  include Sidekiq::Worker
end

20.times do |n|
  Mail.perform_async('user' => { 'id' => n })
  Mail.perform_in(600, 'user' => n)
end
store = Redis.new(port: ENV.fetch('REDIS_PORT').to_i)
20.times do |n|
  store.setex("unique:#{SecureRandom.hex(32)}", 600, SecureRandom.hex(12))
  store.setex("rack::attack:#{n}:login:10.0.0.#{n}", 600, n)
  store.setex("views:#{SecureRandom.hex(16)}", 600, Marshal.dump('user_id' => n))
end

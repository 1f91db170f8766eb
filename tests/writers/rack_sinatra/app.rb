# Sinatra with its sessions in Redis by redis-rack: another namespace, Rack::Protection's tokens for everybody.
require 'sinatra/base'
require 'redis-rack'

class Shop < Sinatra::Base
  set :server, :puma
  set :server_settings, Silent: true
  set :bind, '127.0.0.1'
  set :port, ENV.fetch('PORT').to_i
  set :protection, except: []
  set :session_secret, 'x' * 64
  use Rack::Session::Redis, redis_server: "redis://127.0.0.1:#{ENV.fetch('REDIS_PORT')}/0/#{ENV['NAMESPACE'] || 'shop'}",
                            key: 'shop', **(ENV['FOREVER'] ? {} : { expire_after: 7200 })
  use Rack::Protection::AuthenticityToken, allow_if: ->(_env) { true }

  get('/') { "home#{session[:cart]}" }
  get('/health') { 'ok' }
  get('/account') do
    next 'yours' if session[:user_id]

    session[:return_to] = '/account'
    redirect '/login'
  end
  get('/login') { Rack::Protection::AuthenticityToken.token(session) }
  post('/login') do
    halt 403 unless params[:password] == 'right'
    session.options[:renew] = true
    session[:user_id] = 7
    redirect '/account'
  end
  post('/cart') { session[:cart] = { 'user_id' => 3, 'lines' => [7] }; 'kept' }
  post('/logout') { session.clear; 'gone' }
end

Shop.run!

# A shop in Rails: long sessions that its cache compresses, a namespace, a login by has_secure_password.
require 'logger'
require 'rails'
require 'action_controller/railtie'
require 'redis'
require 'redis-rails' if ENV['STORE'] == 'redis'

url = "redis://127.0.0.1:#{ENV.fetch('REDIS_PORT')}/0"

class Shop < Rails::Application
  config.load_defaults ENV.fetch('DEFAULTS', '6.1')
  config.eager_load = false
  config.secret_key_base = 'x' * 64
  config.hosts.clear
  config.logger = Logger.new(nil)
  config.action_controller.perform_caching = true
  config.action_controller.default_protect_from_forgery = false
  config.cache_store = :redis_cache_store, { url: "redis://127.0.0.1:#{ENV.fetch('REDIS_PORT')}/0", namespace: ENV['NAMESPACE'] }
  expiry = ENV['FOREVER'] ? {} : { expire_after: (ENV['LIFETIME'] || 3 * 3600).to_i }
  if ENV['STORE'] == 'redis'
    config.session_store :redis_store, servers: ["redis://127.0.0.1:#{ENV.fetch('REDIS_PORT')}/0/#{ENV['NAMESPACE'] || 'rack:session'}"], key: '_shop', **expiry
  else
    config.session_store :cache_store, key: '_shop', **expiry
  end
end

class PagesController < ActionController::Base

  def home
    form_authenticity_token if ENV['CSRF'] # what csrf_meta_tags in a layout does
    session[:cart]
    render plain: 'home'
  end

  def health = render(plain: 'ok')

  def account
    return render(plain: 'yours') if session[:user_id]

    flash[:alert] = 'sign in first'
    session['user_return_to'] = '/account'
    redirect_to '/login'
  end

  def ask
    form_authenticity_token
    render plain: 'who?'
  end

  def login
    return head(:forbidden) unless params[:password] == 'right'

    reset_session
    session[:user_id] = 7
    redirect_to '/account'
  end

  def cart
    session[:cart] = (1..400).map { |n| { 'sku' => n, 'user_id' => nil } }
    Rails.cache.write('prices', { 'a' => 1 }, expires_in: 600)
    Rails.cache.write("views/pages/#{'0123456789abcdef' * 4}", '<p>cached</p>', expires_in: 600)
    render plain: 'kept'
  end

  def logout
    reset_session
    render plain: 'gone'
  end
end

Shop.initialize!
Shop.routes.draw do
  root 'pages#home'
  get 'health', to: 'pages#health'
  get 'account', to: 'pages#account'
  get 'login', to: 'pages#ask'
  post 'login', to: 'pages#login'
  post 'cart', to: 'pages#cart'
  post 'logout', to: 'pages#logout'
end

require 'rack/handler/puma'
Rack::Handler::Puma.run(Shop, Host: '127.0.0.1', Port: ENV.fetch('PORT').to_i, Silent: true, Threads: '1:1')

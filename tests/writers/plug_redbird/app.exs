# Plug.Session with redbird's store, behind gen_tcp: the pages of every writer here.
# Run from sources: the modules of plug, plug_crypto and redbird are compiled from their checkouts; Redix is stood in for.
defmodule Redix do
  @moduledoc "The two commands that redbird sends, over a socket."
  def start_link(_), do: {:ok, self()}

  def command(_, words) do
    {:ok, socket} = :gen_tcp.connect({127, 0, 0, 1}, String.to_integer(System.get_env("REDIS_PORT")), [:binary, active: false])
    packed = Enum.map(words, &"$#{byte_size(to_string(&1))}\r\n#{to_string(&1)}\r\n")
    :ok = :gen_tcp.send(socket, ["*#{length(words)}\r\n", packed])
    answer = read(socket, "")
    :gen_tcp.close(socket)
    answer
  end

  def command!(pid, words), do: elem(command(pid, words), 1)
  def noreply_command(pid, words), do: command(pid, words)

  defp read(socket, so_far) do
    {:ok, more} = :gen_tcp.recv(socket, 0, 5000)
    told = so_far <> more

    case told do
      "+OK\r\n" -> {:ok, "OK"}
      "$-1\r\n" -> {:ok, nil}
      ":" <> number -> {:ok, number}
      "$" <> rest ->
        [size, body] = String.split(rest, "\r\n", parts: 2)
        size = String.to_integer(size)
        if byte_size(body) >= size + 2, do: {:ok, binary_part(body, 0, size)}, else: read(socket, told)
      _ -> read(socket, told)
    end
  end
end

defmodule Shop do
  import Plug.Conn
  @options Plug.Session.init(store: :redis, key: "_shop", expiration_in_seconds: 86_400)
  @user System.get_env("USER_NAME") || "user_token"

  def answer(method, target, cookie, body) do
    form = URI.decode_query(body)
    conn = %Plug.Conn{method: method, request_path: target, req_headers: cookie, adapter: {Shop.Adapter, self()}, owner: self()}
    conn = %{conn | secret_key_base: String.duplicate("0123456789abcdef", 4)}
    conn = if target == "/health", do: conn, else: conn |> Plug.Session.call(@options) |> fetch_session()
    page(conn, method, target, form)
  end

  defp page(conn, "POST", "/login", %{"password" => "right"} = form) do
    token = if @user == "user_token", do: :crypto.strong_rand_bytes(32), else: form["user"]
    conn |> configure_session(renew: true) |> put_session(@user, token) |> to("/account")
  end

  defp page(conn, "POST", "/login", _), do: conn |> put_session("phoenix_flash", %{"error" => "no"}) |> send_resp(403, "no")
  defp page(conn, "POST", "/cart", _), do: conn |> put_session("cart", %{"lines" => [7], "user_id" => 12}) |> send_resp(200, "kept")
  defp page(conn, "POST", "/logout", _), do: conn |> configure_session(drop: true) |> send_resp(200, "gone")
  defp page(conn, _, "/login", _), do: conn |> put_session("_csrf_token", "abcdefghijklmnopqrstuvwx") |> send_resp(200, "who?")

  defp page(conn, _, "/account", _) do
    if get_session(conn, @user), do: send_resp(conn, 200, "yours"), else: conn |> put_session("user_return_to", "/account") |> to("/login")
  end

  defp page(conn, _, _, _), do: send_resp(conn, 200, "page")
  defp to(conn, place), do: conn |> put_resp_header("location", place) |> send_resp(302, "")
end

defmodule Shop.Adapter do
  def send_resp(payload, status, headers, body) do
    send(payload, {:answer, status, headers, body})
    {:ok, nil, payload}
  end
end

defmodule Server do
  def serve(listener) do
    {:ok, socket} = :gen_tcp.accept(listener)
    pid = spawn(fn -> receive do :go -> one(socket) end end)
    :gen_tcp.controlling_process(socket, pid)
    send(pid, :go)
    serve(listener)
  end

  defp one(socket) do
    {:ok, data} = :gen_tcp.recv(socket, 0, 5000)
    [head, body] = String.split(data, "\r\n\r\n", parts: 2)
    [first | lines] = String.split(head, "\r\n")
    [method, target, _] = String.split(first, " ")
    headers = for line <- lines, [name, value] = String.split(line, ": ", parts: 2), do: {String.downcase(name), value}
    size = Enum.find_value(headers, 0, fn {name, value} -> name == "content-length" && String.to_integer(value) end)
    body = if byte_size(body) < size, do: body <> elem(:gen_tcp.recv(socket, size - byte_size(body), 5000), 1), else: body
    Shop.answer(method, target, Enum.filter(headers, &(elem(&1, 0) == "cookie")), body)

    receive do
      {:answer, status, headers, body} ->
        lines = for {name, value} <- headers, do: "#{name}: #{value}\r\n"
        body = if method == "HEAD", do: "", else: body
        :gen_tcp.send(socket, ["HTTP/1.1 #{status} x\r\nconnection: close\r\n", lines, "content-length: #{IO.iodata_length(body)}\r\n\r\n", body])
        :gen_tcp.close(socket)
    end
  end
end

:ets.new(Plug.Crypto.Keys, [:named_table, :public, read_concurrency: true]) # as plug_crypto's application does

{:ok, listener} = :gen_tcp.listen(String.to_integer(System.get_env("PORT")), [:binary, active: false, ip: {127, 0, 0, 1}, reuseaddr: true])
Server.serve(listener)

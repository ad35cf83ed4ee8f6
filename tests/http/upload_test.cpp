// Bodies of requests that are passed on: as they come, without a thread.
#include <gtest/gtest.h>

#include <future>

#include "http/client.h"
#include "http/front.h"
#include "http/http2_peer.h"

namespace podium::http {
namespace {

using namespace std::chrono_literals;

std::shared_ptr<const TlsServer> Tls() {
  const TestCertificates& files = TestCertificates::Get();
  return *TlsServer::Create(
      {.certificate = files.Read("server.pem"), .key = files.Read("server.key")});
}

// Answers with the number of bytes that came behind the head, up to `end`.
void CountUpTo(Peer& peer, const std::string& end) {
  peer.ReadHead();
  std::string body;
  while (!body.ends_with(end)) {
    const std::string bytes = peer.ReadSome();
    if (bytes.empty()) return;
    body += bytes;
  }
  peer.Answer(std::to_string(body.size()));
}

TEST(BackendUpload, GoesOnAsItComes) {
  const std::string large(size_t{20} << 20, 'x');
  Backend backend([&](Peer& peer) { CountUpTo(peer, "end"); });
  Front front(backend.port());
  auto client = *Client::Create();
  for (const std::string& body : {std::string("end"), large + "end"}) {
    auto response = client.Send({.method = "POST", .url = front.server().Url("/"), .body = body});
    ASSERT_TRUE(response.ok()) << response.error().message();
    EXPECT_EQ(*response->ReadAll(100), std::to_string(body.size()));
  }
  EXPECT_EQ(front.server()->counts().connections, 1U);
}

TEST(BackendUpload, IsChunkedAnew) {
  std::string got;
  Backend backend([&](Peer& peer) {
    peer.ReadHead();
    while (!got.ends_with("0\r\n\r\n")) got += peer.ReadSome();
    peer.Answer("well");
  });
  Front front(backend.port());
  auto client = front.server().Connect();
  client->Send(
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
      "2;ext=1\r\nab\r\n1\r\n");
  std::this_thread::sleep_for(20ms);
  // Its end, a trailer, and a request behind it, which is of the same connection.
  client->Send("c\r\n0\r\nA: b\r\n\r\nPUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
  EXPECT_TRUE(client->ReadHead().starts_with("HTTP/1.1 200 "));
  EXPECT_EQ(client->ReadExactly(4), "well");
  EXPECT_EQ(got, "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n");
  EXPECT_TRUE(client->ReadHead().starts_with("HTTP/1.1 200 "));
}

TEST(BackendUpload, BodiesThatAreNoneAreNotTakenForWhole) {
  for (const std::string rest : {"x\r\nab", ""}) {
    std::promise<std::string> seen;
    Backend backend([&](Peer& peer) {
      peer.ReadHead();
      seen.set_value(peer.ReadToEnd());
    });
    Front front(backend.port());
    auto client = front.server().Connect();
    client->Send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n" +
                 rest);
    if (rest.empty()) {
      std::this_thread::sleep_for(20ms);
      client.reset();
    } else {
      EXPECT_TRUE(client->ReadHead().starts_with("HTTP/1.1 502 "));
    }
    EXPECT_EQ(seen.get_future().get(), "2\r\nab\r\n");
  }
}

TEST(BackendUpload, AnswerBeforeItsEnd) {
  Backend backend([&](Peer& peer) {
    peer.ReadHead();
    peer.Answer("enough");
  });
  Front front(backend.port());
  auto client = front.server().Connect();
  client->Send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\nabc");
  const std::string head = client->ReadHead();
  EXPECT_TRUE(head.starts_with("HTTP/1.1 200 ")) << head;
  // Nobody would read the rest.
  EXPECT_NE(head.find("Connection: close\r\n"), std::string::npos);
  EXPECT_EQ(client->ReadToEnd(), "enough");
}

TEST(BackendUpload, AnswerOfWhoTakesNoMore) {
  std::promise<void> over;
  auto until = over.get_future().share();
  Backend backend([&](Peer& peer) {
    peer.ReadHead();
    peer.Answer("enough");
    peer.CloseWrite();
    until.wait();  // what comes is not read
  });
  Front front(backend.port());
  auto client = *Client::Create();
  auto response = client.Send({.method = "POST",
                               .url = front.server().Url("/"),
                               .body = std::string(size_t{50} << 20, 'x')});
  over.set_value();
  ASSERT_TRUE(response.ok()) << response.error().message();
  EXPECT_EQ(*response->ReadAll(100), "enough");
}

TEST(BackendUpload, IsReadNoFasterThanTheBackendReads) {
  std::promise<void> over;
  auto until = over.get_future().share();
  Backend backend([&](Peer& peer) {
    peer.ReadHead();
    until.wait();
  });
  Front front(backend.port());
  auto client = front.server().Connect();
  client->Send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n");
  std::atomic<size_t> sent = 0;
  std::thread sender([&] { SendUntilNobodyTakes(*client, &sent); });
  ExpectBuffersFull(sent);
  over.set_value();
  sender.join();
}

TEST(BackendUpload, PastItsBound) {
  Backend backend([&](Peer& peer) {
    peer.ReadHead();
    while (!peer.ReadSome().empty()) {
    }
  });
  Front front(backend.port());
  auto client = front.server().Connect();
  client->Send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " +
               std::to_string(Front::kMaxBody + 1) + "\r\n\r\n");
  EXPECT_TRUE(client->ReadHead().starts_with("HTTP/1.1 413 "));
}

TEST(BackendUpload, SlowOnesHoldNoThreads) {
  Backend backend([&](Peer& peer) { CountUpTo(peer, "end"); });
  Front front(backend.port(), {.threads = 1, .max_long_running = 1});
  std::vector<std::unique_ptr<Peer>> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(front.server().Connect());
    clients.back()->Send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\n\r\nhalf");
  }
  auto client = *Client::Create();
  auto response = client.Send({.method = "POST", .url = front.server().Url("/"), .body = "end"});
  ASSERT_TRUE(response.ok());
  EXPECT_EQ(*response->ReadAll(100), "3");
  for (const auto& each : clients) each->Send("end");
  for (const auto& each : clients) {
    EXPECT_TRUE(each->ReadHead().starts_with("HTTP/1.1 200 "));
    EXPECT_EQ(each->ReadExactly(1), "7");
  }
}

TEST(BackendUpload, Tls) {
  Backend backend([&](Peer& peer) { CountUpTo(peer, "end"); });
  const auto& certificates = TestCertificates::Get();
  Front front(backend.port(), {}, Tls());
  auto client =
      *Client::Create({.tls = {.extra_roots = certificates.Read("ca.pem"), .system_roots = false}});
  const std::string body = std::string(size_t{5} << 20, 'x') + "end";
  for (int i = 0; i < 3; ++i) {
    auto response = client.Send({.method = "POST", .url = front.server().Url("/"), .body = body});
    ASSERT_TRUE(response.ok()) << response.error().message();
    EXPECT_EQ(*response->ReadAll(100), std::to_string(body.size()));
  }
  EXPECT_EQ(front.server()->counts().accepted, 1U);
}

TEST(BackendUpload, Http2) {
  Backend backend([&](Peer& peer) { CountUpTo(peer, "0\r\n\r\n"); });
  Front front(backend.port(), {.threads = 1, .max_long_running = 1}, Tls());
  Http2Peer client(front.server().port());
  for (const int32_t id : {1, 3, 5}) {
    client.Send({FrameType::kHeaders, kEndHeaders, id, RequestFields("/", "POST")});
    client.Send({FrameType::kData, 0, id, std::string(5000, 'u')});
  }
  std::this_thread::sleep_for(20ms);
  for (const int32_t id : {5, 3, 1}) {
    client.Send({FrameType::kData, kEndStream, id, std::string(1000, 'u')});
    // Chunked, in chunks as they come.
    const int size = std::stoi(client.Collect(id).body);
    EXPECT_GE(size, 6000 + 5);
    EXPECT_LE(size, 6000 + 30);
  }
}

TEST(BackendUpload, Http2ThatIsReset) {
  std::promise<std::string> seen;
  Backend backend([&](Peer& peer) {
    peer.ReadHead();
    seen.set_value(peer.ReadToEnd());
  });
  Front front(backend.port(), {}, Tls());
  Http2Peer client(front.server().port());
  client.Send({FrameType::kHeaders, kEndHeaders, 1, RequestFields("/", "POST")});
  client.Send({FrameType::kData, 0, 1, "abc"});
  std::this_thread::sleep_for(20ms);
  client.Send({FrameType::kReset, 0, 1, Number(8)});
  EXPECT_EQ(seen.get_future().get(), "3\r\nabc\r\n");
}

}  // namespace
}  // namespace podium::http

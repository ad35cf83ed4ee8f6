// The HTTP server alone, for a load generator: what a request costs before anybody looks at it.
//
//   http_server_bench PORT [CERTIFICATE KEY] [LOOPS]
//
// GET of anything: 1 KiB from the loop; /pool: from a thread; /list: 2 MiB, pulled.
#include <csignal>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>

#include "http/server.h"

namespace {

using namespace podium;
using http::BodyPiece;

class Blocks : public http::PulledBody {
 public:
  Result<BodyPiece> Next() override {
    return BodyPiece{block_, ++given_ == 1024 ? BodyPiece::Then::kEnd : BodyPiece::Then::kMore};
  }

 private:
  const std::string block_ = std::string(2048, 'x');
  int given_ = 0;
};

std::string Read(const char* path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

int main(int count, char** words) {
  if (count < 2) {
    std::fprintf(stderr, "usage: http_server_bench PORT [CERTIFICATE KEY] [LOOPS]\n");
    return 2;
  }
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::shared_ptr<const http::TlsServer> tls;
  if (count >= 4) {
    auto made = http::TlsServer::Create({.certificate = Read(words[2]), .key = Read(words[3])});
    if (!made.ok()) {
      std::fprintf(stderr, "%s\n", made.error().message().c_str());
      return 1;
    }
    tls = *std::move(made);
  }
  auto listener = http::Listener::Tcp("127.0.0.1", static_cast<uint16_t>(std::stoi(words[1])));
  if (!listener.ok()) {
    std::fprintf(stderr, "%s\n", listener.error().message().c_str());
    return 1;
  }
  const std::string body(1024, 'x');
  http::ServerOptions options;
  options.loops = std::stoul(count % 2 == 1 ? words[count - 1] : "1");
  options.treatment = [](const http::RequestHead& head) {
    return http::Treatment{.on_loop = head.target != "/pool"};
  };
  std::vector<http::Endpoint> endpoints;
  endpoints.push_back({*std::move(listener), tls});
  auto server = http::Server::Start(
      std::move(endpoints), std::move(options),
      [&](const std::shared_ptr<http::Exchange>& exchange) {
        const http::Headers headers = {{"Content-Type", "application/json"},
                                       {"Cache-Control", "no-cache, private"},
                                       {"Audit-Id", "5ad0ec4b-43cd-4e7a-ab0e-8ba1d8e3a1f3"}};
        if (exchange->request().path == "/list") {
          (void)exchange->RespondFrom(200, headers, std::make_unique<Blocks>());
        } else {
          (void)exchange->Respond(200, headers, body);
        }
      });
  int signal = 0;
  sigwait(&signals, &signal);
  (*server)->Stop(std::chrono::seconds(1));
  return 0;
}

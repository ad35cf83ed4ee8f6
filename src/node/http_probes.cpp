#include "node/http_probes.h"

#include <utility>

#include "node/grpc_health.h"
#include "node/http_get.h"

namespace podium::node {

Result<std::unique_ptr<HttpProbes>> HttpProbes::Create(std::shared_ptr<http::Poller> poller,
                                                       Executor& executor) {
  http::TlsOptions options;
  options.skip_verify = true;
  options.system_roots = false;
  TRY(auto tls, http::TlsClient::Create(options));
  return std::unique_ptr<HttpProbes>(new HttpProbes(
      std::make_shared<ProbeExchanges>(std::move(poller), executor, std::move(tls))));
}

HttpProbes::~HttpProbes() { all_->Stop(); }

void HttpProbes::HttpGet(HttpCall call, Done<Reply> done) {
  BeginHttpGet(all_, std::move(call), std::move(done));
}

void HttpProbes::Connect(const std::string& host, uint16_t port, std::chrono::seconds timeout,
                         Done<void> done) {
  ProbeExchange::Begin(
      all_, {.host = host, .port = port, .tls = false, .deadline = http::Clock::now() + timeout},
      nullptr, [done = std::move(done)](ProbeExchange::Stage /*stage*/, Result<void> result) {
        done(std::move(result));
      });
}

void HttpProbes::GrpcHealth(const std::string& host, uint16_t port, const std::string& service,
                            std::chrono::seconds timeout, Done<std::string> done) {
  BeginGrpcHealth(all_, host, port, service, timeout, std::move(done));
}

}  // namespace podium::node

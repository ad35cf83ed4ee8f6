// NetworkProbes over real sockets, without a thread each: all on a poller's.
#pragma once

#include <memory>
#include <string>

#include "base/executor.h"
#include "http/poller.h"
#include "node/network_probes.h"
#include "node/probe_exchange.h"

namespace podium::node {

class HttpProbes : public NetworkProbes {
 public:
  // The executor outlives the probes; in it names are looked up.
  static Result<std::unique_ptr<HttpProbes>> Create(std::shared_ptr<http::Poller> poller,
                                                    Executor& executor);
  // Ends those that go on, with kCancelled. The poller has been stopped.
  ~HttpProbes() override;
  HttpProbes(const HttpProbes&) = delete;
  HttpProbes& operator=(const HttpProbes&) = delete;

  void HttpGet(HttpCall call, Done<Reply> done) override;
  void Connect(const std::string& host, uint16_t port, std::chrono::seconds timeout,
               Done<void> done) override;
  void GrpcHealth(const std::string& host, uint16_t port, const std::string& service,
                  std::chrono::seconds timeout, Done<std::string> done) override;

 private:
  explicit HttpProbes(std::shared_ptr<ProbeExchanges> all) : all_(std::move(all)) {}
  const std::shared_ptr<ProbeExchanges> all_;
};

}  // namespace podium::node

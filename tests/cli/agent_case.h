// Commands against an agent that the test plays, at the socket where commands look for one.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <mutex>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/unique_fd.h"
#include "cli/app.h"
#include "cli/commands.h"
#include "http/listener.h"
#include "http/server.h"

namespace podium::cli {

using ExchangePtr = std::shared_ptr<http::Exchange>;

inline std::string Contents(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

class AgentCase : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string folder = (std::filesystem::temp_directory_path() / "podium-cli-XXXXXX").string();
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    folder_ = folder;
    // NOLINTBEGIN(concurrency-mt-unsafe): no thread runs yet, or any more.
    setenv("PODIUM_RUN_DIR", folder_.c_str(), 1);
    // No server is found on the way.
    setenv("PODIUM_DATA_DIR", (folder_ + "/data").c_str(), 1);
    setenv("KUBECONFIG", (folder_ + "/none").c_str(), 1);
    // NOLINTEND(concurrency-mt-unsafe)
  }
  void TearDown() override {
    server_.reset();
    for (const char* name : {"PODIUM_RUN_DIR", "PODIUM_DATA_DIR", "KUBECONFIG"}) {
      unsetenv(name);  // NOLINT(concurrency-mt-unsafe): as above
    }
    std::filesystem::remove_all(folder_);
  }

  // By method and target.
  using Answers = std::function<void(const std::string& request, const ExchangePtr& exchange)>;
  void Serve(Answers answers) {
    auto listener = http::Listener::Unix(folder_ + "/agent.sock");
    ASSERT_TRUE(listener.ok()) << listener.error().message();
    auto server =
        http::Server::Start(*std::move(listener), {},
                            [this, answers = std::move(answers)](const ExchangePtr& exchange) {
                              const http::RequestHead& head = exchange->request().head;
                              const std::string request = head.method + ' ' + head.target;
                              {
                                const std::lock_guard lock(mutex_);
                                requests_.push_back(request);
                                bodies_.push_back(exchange->request().body);
                              }
                              answers(request, exchange);
                            });
    ASSERT_TRUE(server.ok()) << server.error().message();
    server_ = *std::move(server);
  }
  static void Json(const ExchangePtr& exchange, std::string_view json, int status = 200) {
    (void)exchange->Respond(status, {{"Content-Type", "application/json"}}, json);
  }
  // What it wrote while it ran stands before what it returned.
  Outcome Run(const std::vector<const char*>& arguments) {
    const std::string out = folder_ + "/out";
    const std::string err = folder_ + "/err";
    const UniqueFd out_file(open(out.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    const UniqueFd err_file(open(err.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    Outcome outcome =
        RunCommand(Commands(), arguments, {.out = out_file.get(), .err = err_file.get()});
    outcome.out = Contents(out) + outcome.out;
    outcome.err = Contents(err) + outcome.err;
    return outcome;
  }
  std::vector<std::string> Requests() {
    const std::lock_guard lock(mutex_);
    return std::exchange(requests_, {});
  }

  std::string folder_;
  std::mutex mutex_;
  std::vector<std::string> requests_;
  std::vector<std::string> bodies_;
  std::unique_ptr<http::Server> server_;
};

}  // namespace podium::cli

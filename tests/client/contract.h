// What every Connection must do, whatever is behind it: one suite of tests, run by each.
//
//   INSTANTIATE_TEST_SUITE_P(Fake, ConnectionContract, testing::Values(&MakeFakeServer));
//
// A server may have objects of its own: the suite works in the namespace "contract", which it
// makes, and with nodes whose names begin with "contract-".
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "api/types/core_v1.h"
#include "client/connection.h"

namespace podium::client {

// A server with nothing of the suite's in it.
class ContractServer {
 public:
  virtual ~ContractServer() = default;
  // Of someone who may do everything.
  virtual Connection& connection() = 0;
  // Forgets all history; false where a test cannot bring that about.
  virtual bool Compact() { return false; }
};

using MakeContractServer = std::unique_ptr<ContractServer> (*)();

// A watch, and waiting for it.
class WatchReader {
 public:
  WatchReader(Connection& connection, const Target& target,
              const api::meta::v1::ListOptions& options);
  ~WatchReader();

  // What Watch itself said.
  const Result<void>& started() const { return started_; }
  // The next event, within ten seconds; an error when it does not come.
  Result<ObjectEvent> Next();
  // "ADDED a", "BOOKMARK": the next `count` ones.
  std::vector<std::string> Take(size_t count);
  bool ended() const { return ended_; }
  // Whether nothing comes for a while.
  bool Silent(std::chrono::milliseconds time);

 private:
  std::mutex mutex_;
  std::condition_variable called_;
  bool ready_ = true;  // under mutex_
  std::unique_ptr<ObjectWatch> watch_;
  Result<void> started_;
  std::vector<ObjectEvent> events_;
  bool ended_ = false;
};

class ConnectionContract : public testing::TestWithParam<MakeContractServer> {
 protected:
  void SetUp() override;
  Connection& connection() { return server_->connection(); }

  static Target ConfigMaps() { return {"", "v1", "configmaps", "contract"}; }
  static Target ConfigMapNamed(std::string_view name);
  static api::core::v1::ConfigMap MakeConfigMap(std::string_view name, std::string_view value = "");
  std::shared_ptr<const api::core::v1::ConfigMap> Created(const api::core::v1::ConfigMap& map);
  std::shared_ptr<const api::core::v1::ConfigMap> Read(std::string_view name);
  // The names that a list gives, and its metadata.
  std::vector<std::string> Names(const api::meta::v1::ListOptions& options,
                                 api::meta::v1::ListMeta* metadata = nullptr);

  std::unique_ptr<ContractServer> server_;
};

}  // namespace podium::client

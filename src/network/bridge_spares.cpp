// Namespaces made ahead of their pods.
#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "linux/namespaces.h"
#include "network/bridge_network.h"

namespace podium::network {
namespace {

constexpr auto kSpareRetry = std::chrono::seconds(1);

}  // namespace

Result<BridgeNetwork::Spare> BridgeNetwork::MakeSpare() {
  Spare spare;
  TRY(spare.address, TakeAddress());
  auto netns = kernel::NewNetNamespace();
  if (!netns.ok()) {
    FreeAddress(spare.address.number);
    return std::move(netns).error();
  }
  spare.netns = *std::move(netns);
  Pod pod;
  pod.rules.address = spare.address;
  PodNetworkRequest request;
  request.netns = spare.netns.get();
  if (auto connected = Connect(request, &pod); !connected.ok()) {
    FreeAddress(spare.address.number);
    return std::move(connected).error();
  }
  spare.device = pod.rules.device;
  return spare;
}

void BridgeNetwork::KeepSpares() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    // In a small range spares must not take what pods need.
    const size_t most = std::min<size_t>(options_.spare_namespaces, addresses_.v4().hosts() / 8);
    if (!recovered_ || spares_.size() >= most) {
      wanted_.wait(lock);
      continue;
    }
    lock.unlock();
    auto spare = MakeSpare();
    lock.lock();
    if (!spare.ok()) {
      // Setup meets the same error and reports it.
      wanted_.wait_for(lock, kSpareRetry);
    } else if (stopping_) {
      addresses_.Free(spare->address.number);
    } else {
      spares_.push_back(*std::move(spare));
    }
  }
}

void BridgeNetwork::StopKeeping() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    wanted_.notify_all();
  }
  if (keeper_.joinable()) keeper_.join();
  const std::lock_guard lock(mutex_);
  for (const Spare& spare : spares_) addresses_.Free(spare.address.number);
  spares_.clear();
}

Result<UniqueFd> BridgeNetwork::PrepareNamespace(const std::string& sandbox_id) {
  TRY_VOID(CheckSandboxId(sandbox_id));
  std::optional<Spare> spare;
  {
    const std::lock_guard lock(mutex_);
    if (pods_.contains(sandbox_id)) {
      return Error(Code::kAlreadyExists, "sandbox " + sandbox_id + " has a network namespace");
    }
    if (!spares_.empty()) {
      spare = std::move(spares_.front());
      spares_.pop_front();
      wanted_.notify_all();
    }
  }
  if (!spare) {
    TRY(spare, MakeSpare());
  }
  TRY(const ino_t inode, kernel::NamespaceInode(spare->netns.get()));
  const std::lock_guard lock(mutex_);
  Pod pod;
  pod.rules.address = spare->address;
  pod.rules.device = spare->device;
  pod.prepared = inode;
  pods_.emplace(sandbox_id, std::move(pod));
  return std::move(spare->netns);
}

}  // namespace podium::network

// AppArmor's profile for containers that ask for the runtime's default one. It takes from them what
// no container needs and what the masked and read-only paths of /proc and /sys guard as well: a
// second wall, should the first have a hole. Source: apparmor.d(5), apparmor_parser(8).
#pragma once

#include <functional>
#include <future>
#include <string>
#include <string_view>

namespace podium::runtime {

inline constexpr const char* kDefaultApparmorName = "podium-default";

// Whether the kernel has a profile of this name.
bool IsApparmorLoaded(std::string_view name);

class DefaultApparmor {
 public:
  // Told why containers go without the profile, in one sentence; by any thread.
  using Warn = std::function<void(const std::string& sentence)>;

  DefaultApparmor() = default;
  // Waits for what Begin() began.
  ~DefaultApparmor();
  DefaultApparmor(const DefaultApparmor&) = delete;
  DefaultApparmor& operator=(const DefaultApparmor&) = delete;

  // Loads the profile by apparmor_parser, beside the caller: it takes a tenth of a second. A
  // profile of its name that is there already is the administrator's, and stays. It outlives this
  // process, as all profiles do. To be called once, where the kernel has AppArmor.
  void Begin(Warn warn);

  // Whether containers can have it; waits for what Begin() began. Threads: any.
  bool IsLoaded() const;

 private:
  std::shared_future<bool> loaded_;
};

}  // namespace podium::runtime

// What every controller is made with, and what a command does with it.
//
// A controller is made, started once, and destroyed; informers outlive it and are started by
// whoever owns them. Its work is done in tasks of the executor: Start waits for nothing.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/executor.h"
#include "client/connection.h"
#include "client/informer.h"

namespace podium::controllers {

// All outlive the controllers.
struct ControllerContext {
  client::Connection* connection = nullptr;
  client::InformerFactory* informers = nullptr;
  Executor* executor = nullptr;
  const Clock* clock = nullptr;
  // Of each failure, before it is tried again. May be empty.
  std::function<void(std::string_view controller, const std::string& key, const Error& error)>
      on_error{};
};

class Controller {
 public:
  virtual ~Controller() = default;
  // Upstream's name: "root-ca-certificate-publisher-controller".
  virtual std::string_view name() const = 0;
  virtual void Start() = 0;
};

}  // namespace podium::controllers

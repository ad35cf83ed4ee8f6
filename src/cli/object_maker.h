// What commands share that make an object by themselves rather than read it from a file: create
// configmap and its like, run, expose. Objects are sent, noted and printed in the form of
// upstream's structs of release 1.32, as kubectl has them: members in the order of the struct,
// among them what a struct prints though nobody set it (status: {}, creationTimestamp: null).
#pragma once

#include <memory>
#include <string>

#include "api/types/meta_v1.h"
#include "base/result.h"
#include "cli/command.h"
#include "cli/create_options.h"
#include "cli/object_printer.h"
#include "cli/overrides.h"
#include "cli/server.h"
#include "cli/server_writes.h"
#include "reflect/json.h"
#include "reflect/json_value.h"
#include "reflect/type.h"

namespace podium::cli {

// The object as upstream's struct prints it. Members that the type does not know are left out, as
// by upstream's clients.
Result<reflect::JsonValue> AsStruct(const reflect::Type& type, const reflect::JsonValue& object);

// Where the API's own kinds are, as the release that podium is made of has them; one of no kind has
// no plural.
ServerResource ResourceOf(const reflect::Type& type);

struct MakerRules {
  const char* done;     // "created", as it is printed
  const char* manager;  // of what is set, where --field-manager says none
  // As create has it: objects name their namespace where they are sent, too, and --save-config is
  // heeded where they are not.
  bool is_create = false;
};

// One run of a command. Threads: one at a time.
class ObjectMaker {
 public:
  // By --namespace, --dry-run, --output, --save-config, --validate, --field-manager, as far as the
  // command has them. Nothing is sent yet.
  static Result<ObjectMaker> Of(const Invocation& invocation, const Streams& streams,
                                const MakerRules& rules);

  Server& server() { return *server_; }
  DryRun dry_run() const { return dry_run_; }
  // With the namespace where --namespace says it and the object is to name it.
  api::meta::v1::ObjectMeta Metadata(std::string name) const;

  // Sends an object of one of the API's own kinds, unless it is only tried here. The answer is what
  // is to be printed.
  template <class T>
  Result<reflect::JsonValue> Make(T object) {
    TRY(const reflect::JsonValue value, ValueOf(std::move(object)));
    return Make(reflect::TypeOf<T>(), value);
  }
  // After what --overrides says of it.
  template <class T>
  Result<reflect::JsonValue> MakeOverridden(const Invocation& invocation, T object) {
    TRY(const reflect::JsonValue value, ValueOf(std::move(object)));
    TRY(reflect::JsonValue whole, AsStruct(reflect::TypeOf<T>(), value));
    TRY(const Overridden made, Override(invocation, reflect::TypeOf<T>(), std::move(whole)));
    return Make(*made.type, made.object);
  }
  Result<reflect::JsonValue> Make(const reflect::Type& type, const reflect::JsonValue& object);

  Result<void> Print(const reflect::JsonValue& object, std::string* out) {
    return printer_.Print(object, done_, out);
  }

 private:
  template <class T>
  static Result<reflect::JsonValue> ValueOf(T object) {
    SetKind(reflect::TypeOf<T>(), &object.apiVersion, &object.kind);
    TRY(const std::string json, reflect::ToJson(object));
    return reflect::ParseJson(json);
  }
  ObjectMaker(const MakerRules& rules, DryRun dry_run, ChangePrinter printer)
      : done_(rules.done),
        is_create_(rules.is_create),
        dry_run_(dry_run),
        printer_(std::move(printer)) {}
  static void SetKind(const reflect::Type& type, std::string* api_version, std::string* kind);

  const char* done_;
  bool is_create_;
  bool saves_ = false;
  DryRun dry_run_;
  ChangePrinter printer_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<Writer> writer_;
};

}  // namespace podium::cli

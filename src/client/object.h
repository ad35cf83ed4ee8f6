// Decoded objects as clients hand them on: immutable and shared, of a type that may be known only
// at run time. To change one, copy it (Copy, or *object of a known T), change the copy, and write
// it back.
//
// Threads: any may read.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "api/types/meta_v1.h"
#include "reflect/copy.h"
#include "reflect/type.h"

namespace podium::client {

// The metadata of an object, or null when the type has none (Status, lists, reviews of old).
const api::meta::v1::ObjectMeta* MetaOf(const reflect::Type& type, const void* object);
api::meta::v1::ObjectMeta* MetaOf(const reflect::Type& type, void* object);

// Sets kind and apiVersion to what the type says, which items of lists leave out; nothing of types
// that have none.
void SetKind(const reflect::Type& type, void* object);

// An object that stays the caller's: what a call reads while it runs.
struct ObjectView {
  const reflect::Type* type;
  const void* object;

  ObjectView(const reflect::Type& of, const void* at) : type(&of), object(at) {}
  template <class T>
  ObjectView(const T& of) : type(&reflect::TypeOf<T>()), object(&of) {}  // NOLINT: any object

  const api::meta::v1::ObjectMeta* meta() const { return MetaOf(*type, object); }
};

// Of root kinds (Pod, not PodList's items in JSON) kind and apiVersion are set, as type() says
// them.
class SharedObject {
 public:
  // Null, like a pointer.
  SharedObject() = default;
  template <class T>
  SharedObject(std::shared_ptr<const T> object)  // NOLINT: it is the same object
      : type_(&reflect::TypeOf<T>()), object_(std::move(object)) {}
  // `object` keeps alive whatever it needs: of a type made at run time, the type.
  SharedObject(const reflect::Type& type, std::shared_ptr<const void> object)
      : type_(&type), object_(std::move(object)) {}
  // Takes the object over; of a generated type.
  explicit SharedObject(reflect::AnyObject object)
      : type_(&object.type()),
        object_(std::make_shared<const reflect::AnyObject>(std::move(object))) {
    const auto owner = std::static_pointer_cast<const reflect::AnyObject>(object_);
    object_ = std::shared_ptr<const void>(owner, owner->get());
  }

  explicit operator bool() const { return object_ != nullptr; }
  // Only when not null.
  const reflect::Type& type() const { return *type_; }
  const void* get() const { return object_.get(); }
  const std::shared_ptr<const void>& pointer() const { return object_; }
  ObjectView view() const { return {*type_, object_.get()}; }
  const api::meta::v1::ObjectMeta* meta() const { return MetaOf(*type_, object_.get()); }

  // The object as a T; null when it is of another type, or null.
  template <class T>
  std::shared_ptr<const T> As() const {
    if (!object_ || type_ != &reflect::TypeOf<T>()) return nullptr;
    return std::static_pointer_cast<const T>(object_);
  }

  // Whether both are the same one.
  friend bool operator==(const SharedObject& a, const SharedObject& b) {
    return a.object_ == b.object_;
  }

 private:
  const reflect::Type* type_ = nullptr;
  std::shared_ptr<const void> object_;
};

// "web", or "ns/web" for what is in a namespace: how stores and queues call an object (client-go's
// MetaNamespaceKeyFunc). "" for what has no metadata.
std::string KeyOf(const SharedObject& object);

}  // namespace podium::client

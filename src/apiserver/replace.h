// Replacement: a change of an object that is there, or of a part of it through a subresource: what
// updates and patches share. Internal to the writing half.
#pragma once

#include <string>

#include "apiserver/change.h"
#include "apiserver/request_options.h"

namespace podium::apiserver {

class Replacement : public Change {
 public:
  using Change::Change;

  std::string Key() const override { return key_; }
  Result<NextState> Compute(const store::EntryPtr& current) override;

 protected:
  // What the writer wants, in the request's version, with its defaults. `live` is what is there in
  // that version; null where there is nothing and the write may create it.
  virtual Result<reflect::AnyObject> Wanted(const reflect::AnyObject* live) = 0;
  // Whether a missing object is created.
  virtual bool MayCreate() const = 0;
  // Whether Wanted has set managedFields.
  virtual bool TracksItself() const { return false; }
  // A missing resourceVersion is that of what is there.
  virtual bool Unconditional() const = 0;
  virtual void SetOptions(AdmissionRequest* request) const = 0;

  // That the object has the name and the namespace of the path: 400.
  Result<void> CheckPlace(api::meta::v1::ObjectMeta* metadata);
  // Sets the key, and says whether what follows may wait.
  bool Begin(Operation operation);
  const std::string& subresource() const { return subresource_; }

  std::string manager_;

 private:
  Result<NextState> ComputeCreate();
  Result<void> CheckVersion(const store::Entry& current, api::meta::v1::ObjectMeta* metadata);
  Result<NextState> Finished(const store::EntryPtr& current, reflect::AnyObject old,
                             reflect::AnyObject object);
  AdmissionRequest RequestFor(Operation operation, reflect::AnyObject* object,
                              const reflect::AnyObject* old);

  std::string key_;
  std::string subresource_;
};

}  // namespace podium::apiserver

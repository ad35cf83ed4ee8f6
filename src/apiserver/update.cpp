#include "api/types/autoscaling_v1.h"
#include "api/types/meta_v1.h"
#include "apiserver/body.h"
#include "apiserver/object_rules.h"
#include "apiserver/replace.h"
#include "apiserver/request_options.h"
#include "apiserver/subresources/scale_write.h"
#include "reflect/copy.h"

namespace podium::apiserver {
namespace {

using api::meta::v1::UpdateOptions;
using reflect::AnyObject;

using api::autoscaling::v1::Scale;

class Update final : public Replacement {
 public:
  using Replacement::Replacement;

  Result<bool> Prepare() override {
    TRY(options_, ReadUpdateOptions(call().query));
    dry_run_ = !options_.dryRun.empty();
    manager_ = ManagerOf(options_.fieldManager, call().Header("User-Agent"));
    const FieldValidation validation = FieldValidationOf(options_.fieldValidation);
    if (call().info.subresource == "scale") {
      TRY(object_, DecodeBody(call(), ScaleBody(), validation));
    } else {
      TRY(object_, DecodeObject(call(), resource(), validation));
    }
    SetObjectDefaults(&object_, now());
    TRY_VOID(CheckPlace(&MetaOf(object_)));
    return Begin(Operation::kUpdate);
  }

 protected:
  // A copy: another attempt may need it.
  Result<AnyObject> Wanted(const AnyObject* live) override {
    if (const Scale* scale = object_.As<Scale>()) {
      TRY(const Scale before, ScaleToChange(resource(), *live));
      Scale after = reflect::Copy(*scale);
      TRY_VOID(TrackScale(manager_, now(), before, &after));
      return Scaled(resource(), after, *live);
    }
    AnyObject copy(object_.type());
    reflect::CopyObject(object_.type(), object_.get(), copy.get());
    return copy;
  }
  bool MayCreate() const override { return subresource().empty() && strategy().create_on_update; }
  bool TracksItself() const override { return subresource() == "scale"; }
  bool Unconditional() const override { return strategy().unconditional_update; }
  void SetOptions(AdmissionRequest* request) const override {
    request->options_type = &reflect::TypeOf<UpdateOptions>();
    request->options = &options_;
  }

 private:
  UpdateOptions options_;
  AnyObject object_;  // of the request's version
};

}  // namespace

void Writer::Update(CallPtr call, const ServedResource& resource, WriteDone done) {
  Start(std::make_shared<apiserver::Update>(*this, std::move(call), resource, std::move(done)));
}

}  // namespace podium::apiserver

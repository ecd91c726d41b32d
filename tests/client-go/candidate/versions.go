package main

import (
	"context"
	"sync/atomic"

	coordination "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/typed/coordination/v1"
)

// versions notes the resourceVersion that the last write was answered with. client-go's election has no fencing token, and keeps the object to
// itself; read from the answers, it costs no request and changes none.
type versions struct {
	client  v1.LeasesGetter
	version atomic.Value
}

type noting struct {
	v1.LeaseInterface
	versions *versions
}

func (v *versions) Leases(namespace string) v1.LeaseInterface {
	return noting{v.client.Leases(namespace), v}
}

// last is the version of the last write: a number that grows with each leadership, since the store counts every write.
func (v *versions) last() string {
	version, _ := v.version.Load().(string)
	if version == "" {
		return "0"
	}
	return version
}

func (n noting) note(lease *coordination.Lease, err error) (*coordination.Lease, error) {
	if err == nil {
		n.versions.version.Store(lease.ResourceVersion)
	}
	return lease, err
}

func (n noting) Create(ctx context.Context, lease *coordination.Lease, options metav1.CreateOptions) (*coordination.Lease, error) {
	return n.note(n.LeaseInterface.Create(ctx, lease, options))
}

func (n noting) Update(ctx context.Context, lease *coordination.Lease, options metav1.UpdateOptions) (*coordination.Lease, error) {
	return n.note(n.LeaseInterface.Update(ctx, lease, options))
}

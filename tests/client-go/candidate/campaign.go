package main

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

type settings struct {
	again           bool
	beat            time.Duration
	candidate       int
	identity        string
	leaseDuration   time.Duration
	log             string
	namespace       string
	releaseOnCancel bool
	renewDeadline   time.Duration
	retryPeriod     time.Duration
	spread          time.Duration
}

// Takes part in one election, until it is lost or, if it is to campaign again, until the context is cancelled.
func (s settings) campaign(ctx context.Context, client v1.LeasesGetter, lease string) {
	for {
		versions := &versions{client: client}
		config := leaderelection.LeaderElectionConfig{
			Lock: &resourcelock.LeaseLock{
				LeaseMeta:  metav1.ObjectMeta{Name: lease, Namespace: s.namespace},
				Client:     versions,
				LockConfig: resourcelock.ResourceLockConfig{Identity: s.identity},
			},
			LeaseDuration:   s.leaseDuration,
			RenewDeadline:   s.renewDeadline,
			RetryPeriod:     s.retryPeriod,
			ReleaseOnCancel: s.releaseOnCancel,
			Callbacks: leaderelection.LeaderCallbacks{
				OnStartedLeading: func(ctx context.Context) { s.lead(ctx, lease, versions.last()) },
				OnStoppedLeading: func() { tell("stops", s.identity, lease) },
				OnNewLeader:      func(leader string) { tell("knows", leader, lease) },
			},
		}
		elector, err := leaderelection.NewLeaderElector(config)
		if err != nil {
			fmt.Fprintln(os.Stderr, "client-go:", err)
			os.Exit(1)
		}
		elector.Run(ctx)
		if !s.again || ctx.Err() != nil {
			return
		}
	}
}

// The work of a leader: it lives until it is told to stop, and says so again and again.
func (s settings) lead(ctx context.Context, lease, token string) {
	if s.log == "" {
		tell("leads", s.identity, lease+" "+token)
		return
	}
	beats, err := openBeats(s.log, token, s.candidate)
	if err != nil {
		fmt.Fprintln(os.Stderr, "client-go:", err)
		os.Exit(1)
	}
	defer beats.close()
	beats.tell("start")
	// Whoever hears of it finds it in the log.
	tell("leads", s.identity, lease+" "+token)
	ticker := time.NewTicker(s.beat)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		// Both may be ready, and then either is chosen.
		if ctx.Err() != nil {
			return
		}
		beats.tell("beat")
	}
}

var output sync.Mutex

// Tells one line, with the time by the clock that all processes of a machine share.
func tell(event, whom, lease string) {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &now); err != nil {
		panic(err)
	}
	output.Lock()
	defer output.Unlock()
	fmt.Printf("%d %s %s %s\n", now.Nano(), event, whom, lease)
}

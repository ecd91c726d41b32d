// Candidates of client-go's leader election, unmodified, for tests and benchmarks that have them beside tenure's.
//
// Each event is one line on standard output, `<nanoseconds of CLOCK_BOOTTIME> <event> <about whom> <lease>`:
//
//	leads  the candidate's work was started; the fencing token follows
//	stops  the election has ended for this candidate
//	knows  another leader is known
//	leaves the process was asked to terminate, and its context is cancelled
//
// See --help for the flags. The defaults of client-go's own are kept where a flag is left out.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "client-go:", err)
		os.Exit(1)
	}
}

func run() error {
	var settings settings
	var kubeconfig string
	var elections, burst int
	var qps float64
	var requestTimeout time.Duration
	flag.StringVar(&kubeconfig, "kubeconfig", "", "the way in")
	flag.StringVar(&settings.namespace, "namespace", "", "the namespace of the Lease")
	flag.StringVar(&settings.identity, "identity", "", "who the candidate is")
	flag.DurationVar(&settings.leaseDuration, "lease-duration", 15*time.Second, "LeaseDuration")
	flag.DurationVar(&settings.renewDeadline, "renew-deadline", 10*time.Second, "RenewDeadline")
	flag.DurationVar(&settings.retryPeriod, "retry-period", 2*time.Second, "RetryPeriod")
	flag.BoolVar(&settings.releaseOnCancel, "release-on-cancel", false, "ReleaseOnCancel")
	flag.BoolVar(&settings.again, "again", false, "campaign again after a leadership was lost")
	flag.DurationVar(&requestTimeout, "request-timeout", 0, "how long a request may take; client-go sets no limit of its own")
	flag.Float64Var(&qps, "qps", 0, "requests a second; 0 leaves client-go's 5")
	flag.IntVar(&burst, "burst", 0, "requests at once; 0 leaves client-go's 10")
	flag.IntVar(&elections, "elections", 1, "elections in this process; above 1 the Leases are called <name>-0, <name>-1 and so on")
	flag.DurationVar(&settings.spread, "spread", 0, "over how long the elections of this process begin, one after the other")
	name := flag.String("name", "", "the Lease")
	flag.StringVar(&settings.log, "log", "", "a file that a line is appended to at each beat while leading")
	flag.DurationVar(&settings.beat, "beat", 10*time.Millisecond, "the time between beats")
	flag.IntVar(&settings.candidate, "candidate", 0, "the number of the candidate in the beats")
	flag.Parse()
	if settings.namespace == "" || *name == "" || settings.identity == "" {
		return fmt.Errorf("say --namespace, --name and --identity")
	}
	// Its log is no part of what the tests read, and expected failures fill it.
	klog.SetLogger(logr.Discard())

	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	config.Timeout = requestTimeout
	config.QPS = float32(qps)
	config.Burst = burst
	client, err := v1.NewForConfig(config)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM)
	go func() {
		<-asked
		tell("leaves", settings.identity, *name)
		cancel()
	}()
	var running sync.WaitGroup
	for number := range elections {
		lease := *name
		if elections > 1 {
			lease = fmt.Sprintf("%s-%d", *name, number)
		}
		wait := settings.spread * time.Duration(number) / time.Duration(elections)
		running.Go(func() {
			select {
			case <-time.After(wait):
				settings.campaign(ctx, client, lease)
			case <-ctx.Done():
			}
		})
	}
	running.Wait()
	return nil
}

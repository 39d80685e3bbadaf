// A worker that is told to stop by SIGTERM, as a new deployment does it, and has no handler for it: exit code 143. Somebody
// who only sees restarts takes it for an OOM kill. It serves no endpoint, so it is observed from outside by its process
// id.
//
// It prints "ready", is stopped by a process that it started for this, or ends by itself after -for.
//
//lab:limit 128MiB
//lab:seconds 14
package main

import (
	"container/ring"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"syscall"
	"time"
)

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	after := flag.Duration("after", 7*time.Second, "until it is stopped")
	deploys := flag.Bool("deploy", false, "be the deployment: stop the parent")
	flag.Parse()
	if *deploys {
		time.Sleep(*after)
		syscall.Kill(os.Getppid(), syscall.SIGTERM)
		return
	}
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	if err := exec.Command(os.Args[0], "-deploy", "-after", after.String()).Start(); err != nil {
		log.Fatal(err)
	}
	fmt.Println("ready")
	recent := ring.New(200)
	for number := 0; ; number++ {
		recent.Value = make([]byte, 64<<10+number%2)
		recent = recent.Next()
		time.Sleep(5 * time.Millisecond)
	}
}

"""A module whose packages leave a goroutine behind, each in another kind of package; some are clean."""

from __future__ import annotations

from checked_tests import LEAK, MAIN, TEST

GOLEAK = {
    # The two functions that tests call, with the words that go.uber.org/goleak prints.
    "goleak/go.mod": "module go.uber.org/goleak\n\ngo 1.22\n",
    "goleak/goleak.go": """\
package goleak

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

type Option interface{}

func IgnoreTopFunction(f string) Option { return f }

type TestingT interface{ Error(...any) }

func find(options []Option) string {
	time.Sleep(20 * time.Millisecond)
	space := make([]byte, 1<<20)
	for _, one := range strings.Split(string(space[:runtime.Stack(space, true)]), "\\n\\n")[1:] {
		ignored := strings.Contains(one, "testing.(*T).Run(")
		for _, option := range options {
			ignored = ignored || strings.Contains(one, "\\n"+option.(string)+"(")
		}
		if !ignored {
			return one
		}
	}
	return ""
}

func VerifyNone(t TestingT, options ...Option) {
	if found := find(options); found != "" {
		t.Error("found unexpected goroutines:\\n[" + found + "]")
	}
}

func VerifyTestMain(m interface{ Run() int }, options ...Option) {
	code := m.Run()
	if found := find(options); code == 0 && found != "" {
		fmt.Fprintf(os.Stderr, "goleak: Errors on successful test run: found unexpected goroutines:\\n[%s]\\n", found)
		code = 1
	}
	os.Exit(code)
}
""",
}
MODULE = GOLEAK | {
    "go.mod": """\
module example.test/m

go 1.22

require go.uber.org/goleak v1.3.0

replace go.uber.org/goleak => ./goleak
""",
    "plain/x_test.go": TEST.format(package="plain", body=LEAK),
    "withmain/x_test.go": TEST.format(package="withmain", body=LEAK),
    "withmain/main_test.go": MAIN.format(package="withmain", imports='\t"os"\n\t"testing"\n', body="os.Exit(m.Run())"),
    "goleakmain/x_test.go": TEST.format(package="goleakmain", body=LEAK),
    "goleakmain/main_test.go": MAIN.format(
        package="goleakmain", imports='\t"testing"\n\n\t"go.uber.org/goleak"\n', body="goleak.VerifyTestMain(m)"
    ),
    "goleaktest/x_test.go": TEST.format(package="goleaktest", body="\tdefer goleak.VerifyNone(t)\n" + LEAK).replace(
        'import "testing"', 'import (\n\t"testing"\n\n\t"go.uber.org/goleak"\n)'
    ),
    "parallel/x_test.go": TEST.format(package="parallel", body="\tt.Parallel()\n" + LEAK),
    "outside/x.go": """\
package outside

// Start forgets a goroutine.
func Start() {
	go run(make(chan int))
}

func run(c chan int) { <-c }
""",
    "outside/x_test.go": TEST.format(package="outside_test", body="\toutside.Start()\n").replace(
        'import "testing"', 'import (\n\t"testing"\n\n\t"example.test/m/outside"\n)'
    ),
    "command/main.go": "package main\n\nfunc main() {}\n",
    "command/x_test.go": TEST.format(package="main", body=LEAK),
    "clean/x_test.go": TEST.format(package="clean", body="\tdone := make(chan int)\n\tgo close(done)\n\t<-done\n"),
    "accepted/x_test.go": TEST.format(package="accepted", body="\tgo daemon(make(chan int))\n")
    + "\nfunc daemon(c chan int) { <-c }\n",
    "accepted/main_test.go": MAIN.format(
        package="accepted",
        imports='\t"testing"\n\n\t"go.uber.org/goleak"\n',
        body='goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("example.test/m/accepted.daemon"))',
    ),
}
LEAKY = ("command", "goleakmain", "goleaktest", "outside", "parallel", "plain", "withmain")
"""The packages of MODULE in which TestLeak leaves one goroutine."""

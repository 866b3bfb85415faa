source [file join $::reports .. fake common.tcl]

proc load_package {name} { note load_package $name }
proc project_new {args} { note project_new {*}$args }
proc project_close {} { note project_close }

proc set_global_assignment {option name value} {
    note $name [file tail $value]
    if {$option ne "-name"} { error "unknown option $option" }
    if {$name in {SYSTEMVERILOG_FILE SDC_FILE}} { need $value }
    set ::assigned($name) $value
}

proc set_instance_assignment {option name value to node} {
    note $name $node
    if {"$option $name $value $to" ne "-name VIRTUAL_PIN ON -to"} { error "set_instance_assignment $option $name" }
    if {$node eq "*" || $node eq "aclk"} { error "no virtual pin: $node" }
}

proc execute_flow {option} {
    note execute_flow $option
    switch $::assigned(FAMILY) {
        "Cyclone V" { set family cyclonev }
        "MAX 10" { set family max10 }
        "Arria 10" { set family arria10 }
        default { error "Error (12084): family $::assigned(FAMILY) is not installed" }
    }
    if {$::mode eq "full"} {
        leave {quartus failed.fit.summary} bitsmith.fit.summary
        error "Error (170012): Fitter requires 5,131 LABs to implement the design, but the device contains only 4,191 LABs"
    }
    if {$::mode eq "license"} { error "Error (292027): You don't have a license for the device 10AS066N3F40E2SG" }
    leave [list quartus $family.fit.summary] bitsmith.fit.summary
    if {$family eq "max10"} { leave {quartus max10.fit.rpt} bitsmith.fit.rpt }
    if {$::mode eq "silent"} { return }
    leave {quartus cyclonev.sta.summary} bitsmith.sta.summary
    leave {quartus cyclonev.sta.rpt} bitsmith.sta.rpt
}

source [file join $::reports .. fake common.tcl]

proc set_msg_config {args} { note set_msg_config {*}$args }
proc set_param {args} { note set_param {*}$args }

proc read_verilog {option file} {
    note read_verilog $option [file tail $file]
    if {$option ne "-sv"} { error "not SystemVerilog: $file" }
    need $file
}

proc read_mem {file} {
    note read_mem $file
    need $file
}

proc read_xdc {option mode file} {
    note read_xdc $option $mode $file
    need $file
    if {"$option $mode" ne "-mode out_of_context"} { error "read_xdc $option $mode" }
}

proc synth_design {args} {
    note synth_design {*}$args
    array set option $args
    if {$option(-mode) ne "out_of_context"} { error "not out of context" }
    if {![regexp {^xc} $option(-part)]} { error "[lindex {{[Coretcl 2-106] Specified part could not be found.}} 0]" }
    if {$::mode eq "license"} {
        error "\[Common 17-345\] A valid license was not found for feature 'Synthesis' and/or device 'xcu250'."
    }
    if {$::mode eq "lost"} {
        say "CRITICAL WARNING: \[Synth 8-4445\] could not open \$readmem data file 'weights.hex'; please make sure the file is added to project"
    }
}

proc opt_design {} { note opt_design }

proc place_design {} {
    note place_design
    if {$::mode eq "full"} {
        error "\[Place 30-640\] Place Check : This design requires more LUT as Logic cells than are available in the target device."
    }
    if {$::mode eq "place"} { error "\[Place 30-99\] Placer failed with error: 'internal'" }
}

proc phys_opt_design {} { note phys_opt_design }
proc route_design {} { note route_design }

proc report_utilization {args} {
    note report_utilization {*}$args
    set name [lindex $args end]
    if {$::mode eq "full"} {
        leave {vivado utilization_synth_full.rpt} $name
    } elseif {$::mode eq "ultrascale"} {
        leave {vivado utilization_ultrascale.rpt} $name
    } else {
        leave {vivado utilization_7series.rpt} $name
    }
}

proc report_timing_summary {option name} {
    note report_timing_summary $option $name
    if {$::mode ne "silent"} { leave {vivado timing.rpt} $name }
}

proc write_checkpoint {option name} { note write_checkpoint $option $name }

// For simulation only: passes its input on, and locks a while after it is let run.
// verilator lint_off UNUSEDPARAM
module EHXPLLL #(
    parameter     PLLRST_ENA      = "DISABLED",
    parameter     INTFB_WAKE      = "DISABLED",
    parameter     STDBY_ENABLE    = "DISABLED",
    parameter     DPHASE_SOURCE   = "DISABLED",
    parameter     FEEDBK_PATH     = "CLKOP",
    parameter     OUTDIVIDER_MUXA = "DIVA",
    parameter     OUTDIVIDER_MUXB = "DIVB",
    parameter     CLKOP_ENABLE    = "ENABLED",
    parameter     CLKOS_ENABLE    = "ENABLED",
    parameter int CLKOP_FPHASE    = 0,
    parameter int CLKOS_FPHASE    = 0,
    parameter int CLKOP_CPHASE    = 0,
    parameter int CLKOS_CPHASE    = 0,
    parameter int CLKI_DIV        = 1,
    parameter int CLKFB_DIV       = 1,
    parameter int CLKOP_DIV       = 1,
    parameter int CLKOS_DIV       = 1
) (
    input  logic CLKI,
    input  logic CLKFB,
    output logic CLKOP,
    output logic CLKOS,
    output logic LOCK,
    input  logic RST,
    input  logic STDBY,
    input  logic PHASESEL0,
    input  logic PHASESEL1,
    input  logic PHASEDIR,
    input  logic PHASESTEP,
    input  logic PHASELOADREG,
    input  logic PLLWAKESYNC,
    input  logic ENCLKOP,
    input  logic ENCLKOS,
    input  logic ENCLKOS2,
    input  logic ENCLKOS3
);
  assign CLKOP = CLKI;
  assign CLKOS = CLKI;

  logic [3:0] waited;
  initial waited = '0;
  always_ff @(posedge CLKI) waited <= RST ? '0 : waited == '1 ? waited : waited + 1'b1;
  assign LOCK = waited == '1;

  logic unused;
  assign unused = ^{CLKFB, STDBY, PHASESEL0, PHASESEL1, PHASEDIR, PHASESTEP, PHASELOADREG, PLLWAKESYNC, ENCLKOP, ENCLKOS,
                    ENCLKOS2, ENCLKOS3};
endmodule
// verilator lint_on UNUSEDPARAM

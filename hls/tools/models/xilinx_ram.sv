// AMD distributed RAM (UG474 and UG574, configurable logic block): synchronous write, asynchronous read.

module RAM32X1S #(
    parameter [31:0] INIT = 32'd0,
    parameter [0:0] IS_WCLK_INVERTED = 0
) (
    input  logic A0, A1, A2, A3, A4,
    input  logic D, WCLK, WE,
    output logic O
);
  if (IS_WCLK_INVERTED) $fatal(1, "RAM32X1S: inverted clocks are not known");
  logic [31:0] words;
  initial words = INIT;
  always @(posedge WCLK) if (WE) words[{A4, A3, A2, A1, A0}] <= D;
  assign O = words[{A4, A3, A2, A1, A0}];
endmodule

module RAM32X1D #(
    parameter [31:0] INIT = 32'd0,
    parameter [0:0] IS_WCLK_INVERTED = 0
) (
    input  logic A0, A1, A2, A3, A4,
    input  logic DPRA0, DPRA1, DPRA2, DPRA3, DPRA4,
    input  logic D, WCLK, WE,
    output logic DPO, SPO
);
  if (IS_WCLK_INVERTED) $fatal(1, "RAM32X1D: inverted clocks are not known");
  logic [31:0] words;
  initial words = INIT;
  always @(posedge WCLK) if (WE) words[{A4, A3, A2, A1, A0}] <= D;
  assign SPO = words[{A4, A3, A2, A1, A0}];
  assign DPO = words[{DPRA4, DPRA3, DPRA2, DPRA1, DPRA0}];
endmodule

module RAM64X1S #(
    parameter [63:0] INIT = 64'd0,
    parameter [0:0] IS_WCLK_INVERTED = 0
) (
    input  logic A0, A1, A2, A3, A4, A5,
    input  logic D, WCLK, WE,
    output logic O
);
  if (IS_WCLK_INVERTED) $fatal(1, "RAM64X1S: inverted clocks are not known");
  logic [63:0] words;
  initial words = INIT;
  always @(posedge WCLK) if (WE) words[{A5, A4, A3, A2, A1, A0}] <= D;
  assign O = words[{A5, A4, A3, A2, A1, A0}];
endmodule

module RAM64X1D #(
    parameter [63:0] INIT = 64'd0,
    parameter [0:0] IS_WCLK_INVERTED = 0
) (
    input  logic A0, A1, A2, A3, A4, A5,
    input  logic DPRA0, DPRA1, DPRA2, DPRA3, DPRA4, DPRA5,
    input  logic D, WCLK, WE,
    output logic DPO, SPO
);
  if (IS_WCLK_INVERTED) $fatal(1, "RAM64X1D: inverted clocks are not known");
  logic [63:0] words;
  initial words = INIT;
  always @(posedge WCLK) if (WE) words[{A5, A4, A3, A2, A1, A0}] <= D;
  assign SPO = words[{A5, A4, A3, A2, A1, A0}];
  assign DPO = words[{DPRA5, DPRA4, DPRA3, DPRA2, DPRA1, DPRA0}];
endmodule

module RAM128X1S #(
    parameter [127:0] INIT = 128'd0,
    parameter [0:0] IS_WCLK_INVERTED = 0
) (
    input  logic A0, A1, A2, A3, A4, A5, A6,
    input  logic D, WCLK, WE,
    output logic O
);
  if (IS_WCLK_INVERTED) $fatal(1, "RAM128X1S: inverted clocks are not known");
  logic [127:0] words;
  initial words = INIT;
  always @(posedge WCLK) if (WE) words[{A6, A5, A4, A3, A2, A1, A0}] <= D;
  assign O = words[{A6, A5, A4, A3, A2, A1, A0}];
endmodule

module RAM128X1D #(
    parameter [127:0] INIT = 128'd0,
    parameter [0:0] IS_WCLK_INVERTED = 0
) (
    input  logic [6:0] A,
    input  logic [6:0] DPRA,
    input  logic D, WCLK, WE,
    output logic DPO, SPO
);
  if (IS_WCLK_INVERTED) $fatal(1, "RAM128X1D: inverted clocks are not known");
  logic [127:0] words;
  initial words = INIT;
  always @(posedge WCLK) if (WE) words[A] <= D;
  assign SPO = words[A];
  assign DPO = words[DPRA];
endmodule

module RAM256X1S #(
    parameter [255:0] INIT = 256'd0,
    parameter [0:0] IS_WCLK_INVERTED = 0
) (
    input  logic [7:0] A,
    input  logic D, WCLK, WE,
    output logic O
);
  if (IS_WCLK_INVERTED) $fatal(1, "RAM256X1S: inverted clocks are not known");
  logic [255:0] words;
  initial words = INIT;
  always @(posedge WCLK) if (WE) words[A] <= D;
  assign O = words[A];
endmodule

module RAM256X1D #(
    parameter [255:0] INIT = 256'd0,
    parameter [0:0] IS_WCLK_INVERTED = 0
) (
    input  logic [7:0] A,
    input  logic [7:0] DPRA,
    input  logic D, WCLK, WE,
    output logic DPO, SPO
);
  if (IS_WCLK_INVERTED) $fatal(1, "RAM256X1D: inverted clocks are not known");
  logic [255:0] words;
  initial words = INIT;
  always @(posedge WCLK) if (WE) words[A] <= D;
  assign SPO = words[A];
  assign DPO = words[DPRA];
endmodule

module RAM512X1S #(
    parameter [511:0] INIT = 512'd0,
    parameter [0:0] IS_WCLK_INVERTED = 0
) (
    input  logic [8:0] A,
    input  logic D, WCLK, WE,
    output logic O
);
  if (IS_WCLK_INVERTED) $fatal(1, "RAM512X1S: inverted clocks are not known");
  logic [511:0] words;
  initial words = INIT;
  always @(posedge WCLK) if (WE) words[A] <= D;
  assign O = words[A];
endmodule

// Several read ports; all write at the address of the last one.

module RAM32M #(
    parameter [63:0] INIT_A = 64'd0, INIT_B = 64'd0, INIT_C = 64'd0, INIT_D = 64'd0,
    parameter [0:0] IS_WCLK_INVERTED = 0
) (
    input  logic [4:0] ADDRA, ADDRB, ADDRC, ADDRD,
    input  logic [1:0] DIA, DIB, DIC, DID,
    input  logic WCLK, WE,
    output logic [1:0] DOA, DOB, DOC, DOD
);
  if (IS_WCLK_INVERTED) $fatal(1, "RAM32M: inverted clocks are not known");
  logic [63:0] words_a, words_b, words_c, words_d;
  initial begin
    words_a = INIT_A;
    words_b = INIT_B;
    words_c = INIT_C;
    words_d = INIT_D;
  end
  always @(posedge WCLK)
    if (WE) begin
      words_a[{ADDRD, 1'b0}+:2] <= DIA;
      words_b[{ADDRD, 1'b0}+:2] <= DIB;
      words_c[{ADDRD, 1'b0}+:2] <= DIC;
      words_d[{ADDRD, 1'b0}+:2] <= DID;
    end
  assign DOA = words_a[{ADDRA, 1'b0}+:2];
  assign DOB = words_b[{ADDRB, 1'b0}+:2];
  assign DOC = words_c[{ADDRC, 1'b0}+:2];
  assign DOD = words_d[{ADDRD, 1'b0}+:2];
endmodule

module RAM64M #(
    parameter [63:0] INIT_A = 64'd0, INIT_B = 64'd0, INIT_C = 64'd0, INIT_D = 64'd0,
    parameter [0:0] IS_WCLK_INVERTED = 0
) (
    input  logic [5:0] ADDRA, ADDRB, ADDRC, ADDRD,
    input  logic DIA, DIB, DIC, DID,
    input  logic WCLK, WE,
    output logic DOA, DOB, DOC, DOD
);
  if (IS_WCLK_INVERTED) $fatal(1, "RAM64M: inverted clocks are not known");
  logic [63:0] words_a, words_b, words_c, words_d;
  initial begin
    words_a = INIT_A;
    words_b = INIT_B;
    words_c = INIT_C;
    words_d = INIT_D;
  end
  always @(posedge WCLK)
    if (WE) begin
      words_a[ADDRD] <= DIA;
      words_b[ADDRD] <= DIB;
      words_c[ADDRD] <= DIC;
      words_d[ADDRD] <= DID;
    end
  assign DOA = words_a[ADDRA];
  assign DOB = words_b[ADDRB];
  assign DOC = words_c[ADDRC];
  assign DOD = words_d[ADDRD];
endmodule

module RAM32M16 #(
    parameter [63:0] INIT_A = 64'd0, INIT_B = 64'd0, INIT_C = 64'd0, INIT_D = 64'd0, INIT_E = 64'd0, INIT_F = 64'd0, INIT_G = 64'd0, INIT_H = 64'd0,
    parameter [0:0] IS_WCLK_INVERTED = 0
) (
    input  logic [4:0] ADDRA, ADDRB, ADDRC, ADDRD, ADDRE, ADDRF, ADDRG, ADDRH,
    input  logic [1:0] DIA, DIB, DIC, DID, DIE, DIF, DIG, DIH,
    input  logic WCLK, WE,
    output logic [1:0] DOA, DOB, DOC, DOD, DOE, DOF, DOG, DOH
);
  if (IS_WCLK_INVERTED) $fatal(1, "RAM32M16: inverted clocks are not known");
  logic [63:0] words_a, words_b, words_c, words_d, words_e, words_f, words_g, words_h;
  initial begin
    words_a = INIT_A;
    words_b = INIT_B;
    words_c = INIT_C;
    words_d = INIT_D;
    words_e = INIT_E;
    words_f = INIT_F;
    words_g = INIT_G;
    words_h = INIT_H;
  end
  always @(posedge WCLK)
    if (WE) begin
      words_a[{ADDRH, 1'b0}+:2] <= DIA;
      words_b[{ADDRH, 1'b0}+:2] <= DIB;
      words_c[{ADDRH, 1'b0}+:2] <= DIC;
      words_d[{ADDRH, 1'b0}+:2] <= DID;
      words_e[{ADDRH, 1'b0}+:2] <= DIE;
      words_f[{ADDRH, 1'b0}+:2] <= DIF;
      words_g[{ADDRH, 1'b0}+:2] <= DIG;
      words_h[{ADDRH, 1'b0}+:2] <= DIH;
    end
  assign DOA = words_a[{ADDRA, 1'b0}+:2];
  assign DOB = words_b[{ADDRB, 1'b0}+:2];
  assign DOC = words_c[{ADDRC, 1'b0}+:2];
  assign DOD = words_d[{ADDRD, 1'b0}+:2];
  assign DOE = words_e[{ADDRE, 1'b0}+:2];
  assign DOF = words_f[{ADDRF, 1'b0}+:2];
  assign DOG = words_g[{ADDRG, 1'b0}+:2];
  assign DOH = words_h[{ADDRH, 1'b0}+:2];
endmodule

module RAM64M8 #(
    parameter [63:0] INIT_A = 64'd0, INIT_B = 64'd0, INIT_C = 64'd0, INIT_D = 64'd0, INIT_E = 64'd0, INIT_F = 64'd0, INIT_G = 64'd0, INIT_H = 64'd0,
    parameter [0:0] IS_WCLK_INVERTED = 0
) (
    input  logic [5:0] ADDRA, ADDRB, ADDRC, ADDRD, ADDRE, ADDRF, ADDRG, ADDRH,
    input  logic DIA, DIB, DIC, DID, DIE, DIF, DIG, DIH,
    input  logic WCLK, WE,
    output logic DOA, DOB, DOC, DOD, DOE, DOF, DOG, DOH
);
  if (IS_WCLK_INVERTED) $fatal(1, "RAM64M8: inverted clocks are not known");
  logic [63:0] words_a, words_b, words_c, words_d, words_e, words_f, words_g, words_h;
  initial begin
    words_a = INIT_A;
    words_b = INIT_B;
    words_c = INIT_C;
    words_d = INIT_D;
    words_e = INIT_E;
    words_f = INIT_F;
    words_g = INIT_G;
    words_h = INIT_H;
  end
  always @(posedge WCLK)
    if (WE) begin
      words_a[ADDRH] <= DIA;
      words_b[ADDRH] <= DIB;
      words_c[ADDRH] <= DIC;
      words_d[ADDRH] <= DID;
      words_e[ADDRH] <= DIE;
      words_f[ADDRH] <= DIF;
      words_g[ADDRH] <= DIG;
      words_h[ADDRH] <= DIH;
    end
  assign DOA = words_a[ADDRA];
  assign DOB = words_b[ADDRB];
  assign DOC = words_c[ADDRC];
  assign DOD = words_d[ADDRD];
  assign DOE = words_e[ADDRE];
  assign DOF = words_f[ADDRF];
  assign DOG = words_g[ADDRG];
  assign DOH = words_h[ADDRH];
endmodule

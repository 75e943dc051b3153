"""SLA and KPI service for support departments that live in Bitrix24."""
